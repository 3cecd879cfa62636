<?php
/*
 * Prints the API classes and the settings of a PhalApi project as JSON: `php export.php FOLDER`.
 *
 * This script loads the project's API classes, and so executes their PHP files. PhalApi itself is not needed: classes
 * that the project does not contain are replaced by stubs, and so are the functions DI(), T() and SL() (stubs.php).
 */
namespace RulebookExport;

require __DIR__ . '/code.php';
require __DIR__ . '/loader.php';
require __DIR__ . '/reads.php';
require __DIR__ . '/rejections.php';
require __DIR__ . '/rules.php';
require __DIR__ . '/setup.php';
require __DIR__ . '/stubs.php';

/** Folders that contain code of others, or tests. */
const SKIPPED_FOLDERS = ['vendor', 'node_modules', 'PhalApi', 'Tests', 'tests', 'Library', 'SDK'];

class Export
{
    /** The members of a response around what a method returns. */
    private const ENVELOPE = ['ret', 'data', 'msg'];

    private $root;
    private $loader;
    /** The file that is loaded. */
    public $file = '';
    private $rejections;
    public $result = ['classes' => [], 'config' => null, 'version' => null, 'setup' => [], 'translations' => [], 'reads' => [],
        'hooks' => [], 'rejections' => [], 'notes' => []];

    public function __construct($root)
    {
        $this->root = rtrim(realpath($root), '/');
        $this->loader = new Loader($this->root);
        // Entry scripts define these constants.
        define('API_ROOT', $this->root);
        define('API_MODE', 'prod');
        define('PHALAPI_VERSION', (new Setup($this->root))->version()['value'] ?? '');
    }

    public function run()
    {
        $files = $this->files($this->root);
        sort($files);
        $this->rejections = new Rejections($files);
        $names = preg_grep('~(^|/)Api/~', array_map([$this, 'relative'], $files));
        // If several applications have a class of the same name, that of the largest one is exported.
        $application = function ($name) { return preg_replace('~(^|/)Api/.*~', '', $name); };
        $sizes = array_count_values(array_map($application, $names));
        usort($names, function ($a, $b) use ($application, $sizes) {
            return [$sizes[$application($b)], $a] <=> [$sizes[$application($a)], $b];
        });
        foreach ($names as $name) {
            $file = "$this->root/$name";
            $this->guard($file, function () use ($file) { $this->exportFile($file); });
        }
        foreach (['Config/app.php', 'config/app.php'] as $name) {
            if (is_file("$this->root/$name") && $this->result['config'] === null) {
                $this->guard("$this->root/$name", function () use ($name) { $this->exportConfig("$this->root/$name"); });
            }
        }
        $setup = new Setup($this->root);
        $this->result['version'] = $setup->version();
        $this->result['setup'] = $setup->settings();
        $found = $this->result['setup']['language'][0] ?? ['value' => '', 'file' => ''];
        $language = ltrim($found['value'], '$');
        if ($language !== '') {
            $this->guard($found['file'], function () use ($setup, $language) {
                $this->result['translations'] = $setup->translations($language);
            });
        }
        $entries = array_column($this->result['setup']['entry'] ?? [], 'file');
        foreach ($files as $file) {
            // Of the scripts that clients call directly, only the entry scripts and what they load handle calls.
            $is_other = preg_match('~^public/(?!(.*/)?init\.php$)~i', $this->relative($file)) && !in_array($this->relative($file), $entries, true);
            if (!$is_other && ($reads = Reads::find($file))) {
                $this->result['reads'][] = ['file' => $this->relative($file), 'values' => $reads];
            }
        }
        foreach ($this->rejections->others() as $other) {
            $this->result['rejections'][] = ['file' => $this->relative($other['file'])] + $other;
        }
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
            $this->loader->is_loading_parents = false;
            $own = strpos($error->getFile(), $this->root) === 0;
            $where = $own && $error->getFile() !== $file ? ' in ' . $this->relative($error->getFile()) . ':' . $error->getLine() : '';
            $this->note($file, $own && $where === '' ? $error->getLine() : null,
                "not carried over, because PHP failed$where: " . $error->getMessage());
        }
    }

    private function exportFile($file)
    {
        $this->loader->is_loading_parents = true;
        $declared = Code::declaredClass($file);
        if ($declared !== null && !class_exists($declared, false)) {
            $this->loader->loadFromProject($declared);
        }
        if ($declared !== null && class_exists($declared, false)) {
            $loaded = (new \ReflectionClass($declared))->getFileName();
            if ($loaded !== $file) {
                $this->note($file, null, "not carried over: the class `$declared` is also in " . $this->relative($loaded));
                return;
            }
        }
        require_once $file;
        $this->loader->is_loading_parents = false;
        foreach (get_declared_classes() as $class) {
            $reflection = new \ReflectionClass($class);
            if ($reflection->getFileName() === $file && !$reflection->isAbstract() && $this->isApi($reflection)) {
                $this->guard($file, function () use ($reflection) { $this->exportClass($reflection); });
            }
        }
    }

    /** Returns `true` for a class that extends that of PhalApi, and for one in `Api` whose parent is not in the project. */
    private function isApi(\ReflectionClass $class)
    {
        return $class->isSubclassOf(ApiStub::class)
            || $this->missingParent($class) !== null && preg_match('/(^|\\\\)Api[\\\\_]/i', $class->getName());
    }

    /** Returns the name of the parent of a class that the project does not contain. */
    private function missingParent(\ReflectionClass $class)
    {
        for ($parent = $class->getParentClass(); $parent !== false; $parent = $parent->getParentClass()) {
            if (isset($this->loader->stubs[$parent->getName()])) {
                return $parent->getName();
            }
        }
        return null;
    }

    private function exportClass(\ReflectionClass $class)
    {
        $file = $class->getFileName();
        $name = $class->getName();
        $namespace = null;
        if (preg_match('/^(.*?)\\\\?Api\\\\(.+)$/', $name, $match)) {
            [$namespace, $service] = [$match[1], str_replace('\\', '_', $match[2])];
        } else {
            $service = preg_replace('/^Api_/i', '', $name);
        }
        if ($namespace !== null && $namespace !== 'App') {
            $this->note($file, $class->getStartLine(),
                "not carried over: clients call the class as `$namespace.$service`, and rulebook has only the namespace `App`");
            return;
        }
        if (($parent = $this->missingParent($class)) !== null) {
            $this->note($file, $class->getStartLine(), "the parent `$parent` of the class `$name` is not in the project: the methods and "
                . 'rules that it adds are missing; install the packages of the project (`composer install`), then import it again');
        }
        Stub::$uses = 0;
        $getter = $class->hasMethod('getRules') ? $class->getMethod('getRules') : null;
        $all = $getter === null ? [] : $class->newInstanceWithoutConstructor()->getRules();
        $all = is_array($all) ? $all : [];
        if (Stub::$uses > 0) {
            $this->note($file, $getter->getStartLine(),
                'getRules() uses services of the program, such as DI(): compare its rules with the definition');
        }
        $is_own = $getter !== null && strpos((string) $getter->getFileName(), $this->root) === 0;
        $rules = $is_own ? new Rules($service, $getter->getFileName(), $getter->getStartLine(), $getter->getEndLine()) : new Rules($service, '', 0, 0);
        $common = $rules->clean((array) ($all['*'] ?? []), '*');
        $methods = [];
        foreach ($class->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            if ($this->isService($method)) {
                $methods[] = $this->exportMethod($method, $all, $rules);
            }
        }
        $rules->noteOthers();
        $this->addNotes($rules);
        foreach ($all as $key => $_) {
            $known = array_map('strtolower', array_column($methods, 'name'));
            if ($key !== '*' && !in_array(strtolower($key), $known, true)) {
                $this->note($file, $rules->lines[$key] ?? null, "not carried over: there are rules for `$key`, but no such method");
            }
        }
        foreach (['userCheck', '__construct', '__destruct'] as $hook) {
            $from = $class->hasMethod($hook) ? (string) $class->getMethod($hook)->getFileName() : '';
            if (strpos($from, $this->root) === 0 && strpos($from, "$this->root/vendor/") !== 0) {
                $this->result['hooks'][] = ['file' => $this->relative($from), 'line' => $class->getMethod($hook)->getStartLine(), 'value' => $hook];
            }
        }
        $this->result['classes'][] = ['name' => $service, 'file' => $this->relative($file), 'line' => $class->getStartLine(),
            'style' => $namespace === null ? '1.x' : '2.x', 'doc' => $this->doc($class),
            'common' => $common, 'rules_file' => $this->relative($is_own ? $rules->file : $file), 'lines' => $rules->lines, 'methods' => $methods];
    }

    private function isService(\ReflectionMethod $method)
    {
        return !$method->isAbstract() && $method->name[0] !== '_'
            && strpos((string) $method->getFileName(), $this->root) === 0
            && !in_array(strtolower($method->name), ['getrules', 'getapirules', 'init', 'usercheck'], true);
    }

    private function exportMethod(\ReflectionMethod $method, $all, Rules $rules)
    {
        $own = [];
        $path = $method->name;
        foreach ($all as $key => $value) {
            if (strcasecmp($key, $method->name) === 0) {
                [$own, $path] = [(array) $value, $key];
            }
        }
        $file = $method->getFileName();
        return ['name' => $method->name, 'file' => $this->relative($file), 'line' => $method->getStartLine(), 'doc' => $this->doc($method),
            'rules' => $rules->clean($own, $path), 'rejections' => $this->rejections->ofMethod($method),
            'removed' => array_keys(array_filter($own, function ($rule) { return $rule === null || $rule === false; })),
            'names' => array_values(array_intersect(self::ENVELOPE, Code::texts($file, $method->getStartLine(), $method->getEndLine())))];
    }

    private function doc($reflection)
    {
        $comment = (string) $reflection->getDocComment();
        $file = (string) $reflection->getFileName();
        return Code::doc($comment, $comment === '' ? 0 : Code::docLine($file, $comment, $reflection->getStartLine()));
    }

    private function addNotes(Rules $rules)
    {
        foreach ($rules->notes as [$line, $message]) {
            $this->note($rules->file, $line, $message);
        }
    }

    private function exportConfig($file)
    {
        $config = require $file;
        $rules = new Rules('', $file, 1, PHP_INT_MAX);
        $lines = Code::keyLines($file, 1, PHP_INT_MAX, false);
        $this->result['config'] = ['file' => $this->relative($file), 'lines' => $lines, 'keys' => array_keys((array) $config),
            'rules' => $rules->clean((array) ($config['apiCommonRules'] ?? []), 'apiCommonRules'),
            'whitelist' => array_values((array) ($config['service_whitelist']['App'] ?? $config['service_whitelist'] ?? []))];
        $this->addNotes($rules);
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
