<?php
/*
 * Prints the API classes and the settings of a PhalApi project as JSON: `php export.php FOLDER`.
 *
 * This script loads the project's API classes, and so executes their PHP files. PhalApi itself is not needed: classes
 * that the project does not contain are replaced by stubs, and so are the functions DI(), T() and SL() (stubs.php).
 */
namespace RulebookExport;

require __DIR__ . '/code.php';
require __DIR__ . '/rejections.php';
require __DIR__ . '/stubs.php';

/** Folders that contain code of others, or tests. */
const SKIPPED_FOLDERS = ['vendor', 'node_modules', 'PhalApi', 'Tests', 'tests', 'Library', 'SDK'];

class Export
{
    private $root;
    private $namespaces = [];
    /** The file that is loaded. */
    public $file = '';
    /** The name of the class that is exported. */
    private $service = '';
    private $rejections;
    public $result = ['classes' => [], 'config' => null, 'setup' => [], 'rejections' => [], 'notes' => []];

    public function __construct($root)
    {
        $this->root = rtrim(realpath($root), '/');
        $composer = json_decode((string) @file_get_contents("$this->root/composer.json"), true);
        foreach ((array) ($composer['autoload']['psr-4'] ?? []) as $prefix => $folders) {
            $this->namespaces[$prefix] = (array) $folders;
        }
        // FOLDER may also be the folder `src/app` of a project.
        $this->namespaces += ['App\\' => ['src/app', '.']];
        spl_autoload_register([$this, 'load']);
    }

    public function run()
    {
        $files = $this->files($this->root);
        sort($files);
        $this->rejections = new Rejections($files);
        foreach (preg_grep('~(^|/)Api/~', array_map([$this, 'relative'], $files)) as $name) {
            $file = "$this->root/$name";
            $this->guard($file, function () use ($file) { $this->exportFile($file); });
        }
        foreach (['Config/app.php', 'config/app.php'] as $name) {
            if (is_file("$this->root/$name") && $this->result['config'] === null) {
                $this->guard("$this->root/$name", function () use ($name) { $this->exportConfig("$this->root/$name"); });
            }
        }
        $this->result['setup'] = Code::setup($this->root);
        foreach ($this->rejections->others() as $other) {
            $this->result['rejections'][] = ['file' => $this->relative($other['file'])] + $other;
        }
    }

    /** Loads a class of the project, or defines a stub for a class that the project does not contain. */
    public function load($class)
    {
        if (!$this->loadFromProject($class)) {
            $this->define($class);
        }
    }

    /** Loads a class from the file in which composer, or PhalApi 1, expects it. */
    private function loadFromProject($class)
    {
        foreach ($this->namespaces as $prefix => $folders) {
            if ($prefix !== '' && strpos($class, $prefix) !== 0) {
                continue;
            }
            foreach ($folders as $folder) {
                $path = $this->root . '/' . trim($folder, '/') . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
                if (is_file($path)) {
                    require_once $path;
                    return true;
                }
            }
        }
        // PhalApi 1: the class Domain_User is in the file Domain/User.php of the application.
        if (strpos($class, '\\') === false && strpos($class, 'PhalApi_') !== 0) {
            foreach (array_merge([$this->root], glob("$this->root/*", GLOB_ONLYDIR)) as $application) {
                $path = $application . '/' . str_replace('_', '/', $class) . '.php';
                if (is_file($path)) {
                    require_once $path;
                    return true;
                }
            }
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

    /** Returns the PHP files of the project. */
    private function files($folder)
    {
        $found = [];
        foreach (scandir($folder) as $name) {
            $path = "$folder/$name";
            if ($name[0] === '.' || is_link($path) || (is_dir($path) && in_array($name, SKIPPED_FOLDERS, true))) {
                continue;
            }
            if (is_dir($path)) {
                $found = array_merge($found, $this->files($path));
            } elseif (substr($name, -4) === '.php') {
                $found[] = $path;
            }
        }
        return $found;
    }

    private function relative($path) { return ltrim(substr($path, strlen($this->root)), '/'); }

    private function note($file, $line, $message)
    {
        $this->result['notes'][] = ['file' => $this->relative($file), 'line' => $line, 'message' => $message];
    }

    /** Runs a function. If the code of the project fails in it, adds a note. */
    private function guard($file, $function)
    {
        $this->file = $file;
        try {
            $function();
        } catch (\Throwable $error) {
            $own = strpos($error->getFile(), $this->root) === 0;
            $this->note($own ? $error->getFile() : $file, $own ? $error->getLine() : null,
                'not carried over, because PHP failed: ' . $error->getMessage());
        }
    }

    private function exportFile($file)
    {
        $declared = Code::declaredClass($file);
        if ($declared !== null && !class_exists($declared, false)) {
            $this->loadFromProject($declared);
        }
        if ($declared !== null && class_exists($declared, false)) {
            $loaded = (new \ReflectionClass($declared))->getFileName();
            if ($loaded !== $file) {
                $this->note($file, null, "not carried over: the class `$declared` is also in " . $this->relative($loaded));
                return;
            }
        }
        require_once $file;
        foreach (get_declared_classes() as $class) {
            $reflection = new \ReflectionClass($class);
            if ($reflection->getFileName() === $file && !$reflection->isAbstract() && is_subclass_of($class, ApiStub::class)) {
                $this->guard($file, function () use ($reflection) { $this->exportClass($reflection); });
            }
        }
    }

    private function exportClass(\ReflectionClass $class)
    {
        $file = $class->getFileName();
        $name = $class->getName();
        $namespace = null;
        if (preg_match('/^(.*?)\\\\?Api\\\\(.+)$/', $name, $match)) {
            [$namespace, $service] = [$match[1], str_replace('\\', '_', $match[2])];
        } else {
            $service = preg_replace('/^Api_/', '', $name);
        }
        if ($namespace !== null && $namespace !== 'App') {
            $this->note($file, $class->getStartLine(),
                "not carried over: clients call the class as `$namespace.$service`, and rulebook has only the namespace `App`");
            return;
        }
        $this->service = $service;
        Stub::$uses = 0;
        $rules = (array) $class->newInstanceWithoutConstructor()->getRules();
        if (Stub::$uses > 0) {
            $this->note($file, $class->getMethod('getRules')->getStartLine(),
                'getRules() uses services of the program, such as DI(): compare its rules with the definition');
        }
        $lines = $this->ruleLines($class);
        $methods = [];
        foreach ($class->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            if ($this->isService($method)) {
                $methods[] = $this->exportMethod($method, $rules);
            }
        }
        foreach ($rules as $key => $_) {
            $known = array_map('strtolower', array_column($methods, 'name'));
            if ($key !== '*' && !in_array(strtolower($key), $known, true)) {
                $this->note($file, $lines[$key] ?? null, "not carried over: there are rules for `$key`, but no such method");
            }
        }
        foreach (['userCheck', '__construct', '__destruct'] as $hook) {
            if ($class->hasMethod($hook) && strpos((string) $class->getMethod($hook)->getFileName(), $this->root) === 0) {
                $replacement = $hook === 'userCheck' ? 'an authenticator and `@scope`' : 'a hook of the module (`Module::before`, `Module::after`)';
                $this->note($class->getMethod($hook)->getFileName(), $class->getMethod($hook)->getStartLine(), "`$hook` becomes $replacement");
            }
        }
        $this->result['classes'][] = ['name' => $service, 'file' => $this->relative($file), 'line' => $class->getStartLine(),
            'style' => $namespace === null ? '1.x' : '2.x', 'doc' => Code::doc($class->getDocComment()),
            'common' => $this->clean((array) ($rules['*'] ?? []), $file, $lines, '*'), 'lines' => $lines, 'methods' => $methods];
    }

    private function isService(\ReflectionMethod $method)
    {
        return !$method->isStatic() && !$method->isAbstract() && $method->name[0] !== '_'
            && strpos((string) $method->getFileName(), $this->root) === 0
            && !in_array(strtolower($method->name), ['getrules', 'getapirules', 'init', 'usercheck'], true);
    }

    private function exportMethod(\ReflectionMethod $method, $rules)
    {
        $own = [];
        foreach ($rules as $key => $value) {
            if (strcasecmp($key, $method->name) === 0) {
                $own = (array) $value;
            }
        }
        $lines = $this->ruleLines($method->getDeclaringClass());
        return ['name' => $method->name, 'file' => $this->relative($method->getFileName()), 'line' => $method->getStartLine(),
            'doc' => Code::doc($method->getDocComment()), 'rules' => $this->clean($own, $method->getFileName(), $lines, $method->name),
            'rejections' => $this->rejections->ofMethod($method)];
    }

    /** Returns the lines of the keys in getRules(): those of `login`, and those of its rules as `login/username`. */
    private function ruleLines(\ReflectionClass $class)
    {
        $method = $class->getMethod('getRules');
        $file = (string) $method->getFileName();
        return strpos($file, $this->root) === 0 ? Code::keyLines($file, $method->getStartLine(), $method->getEndLine(), true) : [];
    }

    /** Removes values that JSON cannot contain from rules: functions, and values of the running program. */
    private function clean($value, $file, $lines, $path)
    {
        if (is_array($value)) {
            $clean = [];
            foreach ($value as $key => $item) {
                $below = "$path/$key";
                if ($item instanceof \Closure) {
                    $clean[$key] = $this->service . '::' . str_replace('/', '_', $path);
                    $this->note($file, $this->lineOf($lines, $below), "`$below` is a function without a name; it was named `{$clean[$key]}`");
                } elseif ($item instanceof Stub || is_resource($item)) {
                    $this->note($file, $this->lineOf($lines, $below), "not carried over: `$below` is known only while the program runs");
                } else {
                    $clean[$key] = $this->clean($item, $file, $lines, $below);
                }
            }
            return $clean;
        }
        if (is_float($value) && !is_finite($value)) {
            return null;
        }
        return is_object($value) ? get_class($value) : $value;
    }

    private function lineOf($lines, $path)
    {
        while ($path !== '' && !isset($lines[$path])) {
            $path = strpos($path, '/') === false ? '' : substr($path, 0, strrpos($path, '/'));
        }
        return $lines[$path] ?? null;
    }

    private function exportConfig($file)
    {
        $config = require $file;
        $lines = Code::keyLines($file, 1, PHP_INT_MAX, false);
        $this->result['config'] = ['file' => $this->relative($file), 'lines' => $lines, 'keys' => array_keys((array) $config),
            'rules' => $this->clean((array) ($config['apiCommonRules'] ?? []), $file, $lines, ''),
            'whitelist' => array_values((array) ($config['service_whitelist'] ?? []))];
    }
}

error_reporting(E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR);
ini_set('display_errors', 'stderr');
ob_start();
$export = new Export($argv[1]);
$is_complete = false;
register_shutdown_function(function () use ($export, &$is_complete) {
    $error = error_get_last();
    if ($error !== null && ($error['type'] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR))) {
        $export->result['fatal'] = ['file' => $error['file'], 'line' => $error['line'], 'message' => $error['message']];
    }
    if (!$is_complete && !isset($export->result['fatal'])) {
        $export->result['fatal'] = ['file' => $export->file, 'line' => 1, 'message' => 'this file, or a file that it loads, calls exit()'];
    }
    while (ob_get_level() > 0) {
        ob_end_clean();
    }
    fwrite(STDOUT, json_encode($export->result, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR) . "\n");
});
$export->run();
$is_complete = true;
