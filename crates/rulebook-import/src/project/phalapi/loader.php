<?php
/*
 * Loads the classes of a project, and defines stubs for classes that it does not contain.
 */
namespace RulebookExport;

class Loader
{
    private $root;
    private $namespaces = [];
    /** The namespaces and the files of the packages in `vendor`. */
    private $packages = [];
    private $package_files = [];
    /** `true` while the file of an API class is loaded: then classes are its parents. */
    public $is_loading_parents = false;
    /** The names of the classes that are stubs. */
    public $stubs = [];

    public function __construct($root)
    {
        $this->root = $root;
        $composer = json_decode((string) @file_get_contents("$root/composer.json"), true);
        foreach ((array) ($composer['autoload']['psr-4'] ?? []) as $prefix => $folders) {
            $this->namespaces[$prefix] = array_map(function ($folder) use ($root) { return "$root/" . trim($folder, '/'); }, (array) $folders);
        }
        // FOLDER may also be the folder `src/app` of a project.
        $this->namespaces += ['App\\' => ["$root/src/app", $root]];
        $maps = "$root/vendor/composer";
        $this->packages = is_file("$maps/autoload_psr4.php") ? (array) require "$maps/autoload_psr4.php" : [];
        $this->packages += ['PhalApi\\' => ["$root/vendor/phalapi/kernal/src"]];
        $this->package_files = is_file("$maps/autoload_classmap.php") ? (array) require "$maps/autoload_classmap.php" : [];
        spl_autoload_register([$this, 'load']);
    }

    /** Loads a class of the project, or a parent from `vendor`, or defines a stub. */
    public function load($class)
    {
        if (!$this->loadFromProject($class) && !($this->is_loading_parents && $this->loadFromVendor($class))) {
            $this->stubs[$class] = true;
            $this->define($class);
        }
    }

    /** Loads a class from the file in which composer, or PhalApi 1, expects it. */
    public function loadFromProject($class)
    {
        if ($this->loadFromNamespace($class, $this->namespaces)) {
            return true;
        }
        // PhalApi 1: the class Domain_User is in the file Domain/User.php of the application.
        if (strpos($class, '\\') === false && strpos($class, 'PhalApi_') !== 0) {
            foreach (array_merge([$this->root], glob("$this->root/*", GLOB_ONLYDIR)) as $application) {
                if ($this->loadFile($application . '/' . str_replace('_', '/', $class) . '.php')) {
                    return true;
                }
            }
        }
        return false;
    }

    private function loadFromVendor($class)
    {
        return isset($this->package_files[$class]) && $this->loadFile($this->package_files[$class])
            || $this->loadFromNamespace($class, $this->packages);
    }

    private function loadFromNamespace($class, $namespaces)
    {
        foreach ($namespaces as $prefix => $folders) {
            foreach ($prefix === '' || strpos($class, $prefix) === 0 ? (array) $folders : [] as $folder) {
                if ($this->loadFile($folder . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php')) {
                    return true;
                }
            }
        }
        return false;
    }

    private function loadFile($path)
    {
        if (is_file($path)) {
            require_once $path;
            return true;
        }
        return false;
    }

    private function define($class)
    {
        $at = strrpos($class, '\\');
        [$namespace, $name] = $at === false ? ['', $class] : [substr($class, 0, $at), substr($class, $at + 1)];
        if (!preg_match('/^\w+$/', $name)) {
            return;
        }
        if (preg_match('/Interface$|^PhalApi_(Filter|Request_Formatter|Cache|Logger)$|^(Filter|Formatter|Cache)$/', $name)) {
            $kind = "interface $name {}";
        } elseif (strpos($name, 'Exception') !== false || strpos($class, '\\Exception\\') !== false) {
            $kind = "class $name extends \\Exception {}";
        } else {
            $kind = "class $name extends \\RulebookExport\\Stub {}";
        }
        eval("namespace $namespace { $kind }");
    }
}
