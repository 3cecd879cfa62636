<?php
/*
 * Calls a method of a class of api 3.0 for rulebook, and sends what the method returns.
 *
 * rulebook has checked the permissions and the arguments. Only rulebook may call this script: php-fpm must not be
 * reachable for others, and no web server may serve this file. It runs with PHP 7.4 and newer.
 */

namespace Rulebook\Bridge {
    /** Ends the script after an error, which is written to the log. */
    function fail(string $reason): void
    {
        while (ob_get_level() > 0) {
            ob_end_clean();
        }
        error_log("rulebook: $reason");
        http_response_code(500);
        exit;
    }

    /** Writes what the project has printed to the log, because it would precede the result. */
    function discard_output(): void
    {
        $printed = '';
        while (ob_get_level() > 0) {
            $printed = ob_get_clean() . $printed;
        }
        if (trim($printed) !== '') {
            error_log('rulebook: the project has printed: ' . substr($printed, 0, 500));
        }
    }

    /** Returns a parameter that rulebook has sent. */
    function setting(string $name): string
    {
        return (string) ($_SERVER["RULEBOOK_$name"] ?? '');
    }

    /** Returns the checked arguments. A file is a reference to its entry in $_FILES. */
    function arguments(): array
    {
        $is_json = strpos((string) ($_SERVER['CONTENT_TYPE'] ?? ''), 'application/json') === 0;
        $json = $is_json ? file_get_contents('php://input') : (string) ($_POST['arguments'] ?? '');
        $arguments = json_decode($json, true);
        if (!is_array($arguments)) {
            fail('PHP has not passed on the arguments: compare their size with post_max_size in php.ini');
        }
        foreach (array_keys($_FILES) as $name) {
            array_walk_recursive($_FILES[$name], function ($value, $key) use ($name) {
                $codes = [UPLOAD_ERR_INI_SIZE, UPLOAD_ERR_PARTIAL, UPLOAD_ERR_NO_TMP_DIR, UPLOAD_ERR_CANT_WRITE];
                if ($key === 'error' && in_array($value, $codes, true)) {
                    fail("PHP has not accepted the file $name (error $value): compare upload_max_filesize in php.ini");
                }
            });
            $arguments[$name] = &$_FILES[$name];
        }
        return $arguments;
    }

    /** Creates an instance of a module's class, calls one of its methods, and destroys the instance. */
    function call(string $class, string $function, array $arguments): array
    {
        $namespace = setting('NAMESPACE');
        $name = $namespace === '' ? $class : "$namespace\\$class";
        if (!class_exists($name)) {
            $file = setting('FOLDER') . "/$class.php";
            if (is_file($file)) {
                require_once $file;
            }
        }
        if (!class_exists($name) || !method_exists($name, $function)) {
            fail("there is no method $name::$function");
        }
        if (!(new \ReflectionMethod($name, $function))->isPublic()) {
            fail("the method $name::$function is not public");
        }
        $instance = new $name();
        $result = $instance->$function($arguments);
        unset($instance);
        if ($result !== null && !is_array($result)) {
            fail("$name::$function has not returned an array");
        }
        return (array) $result;
    }

    /** Returns the number or the name of the error in a result, or null if the method has succeeded. */
    function error_of(array $result)
    {
        $error = $result['error'] ?? null;
        if (is_object($error)) {
            $error = method_exists($error, 'get') ? $error->get() : 1;
        }
        $success = defined('error\core\Err::Success') ? constant('error\core\Err::Success') : 0;
        return $error === $success || $error === 0 || $error === false || $error === '' ? null : $error;
    }

    /**
     * Returns what the framework of the project sends for an error: the description, and the HTTP status. Both are
     * missing if the project does not contain the framework.
     */
    function description(int $number): array
    {
        if (is_a('api\core\Response', Response::class, true) || !method_exists('api\core\Response', 'serialize')) {
            return [];
        }
        $headers = headers_list();
        $response = new \api\core\Response(new \error\core\Error($number));
        $response->error = new \error\core\Error($number);
        $body = json_decode((string) $response->serialize(), true);
        $status = http_response_code();
        http_response_code(200);
        header_remove();
        foreach ($headers as $header) {
            header($header, false);
        }
        return ['description' => $body['ErrorDescription'] ?? null, 'status' => is_int($status) ? $status : null];
    }

    /** Loads classes from the folder `build` of the project, as api 3.0 does. */
    function load(string $class): void
    {
        $file = setting('ROOT') . '/build/' . str_replace('\\', '/', $class) . '.php';
        if (is_file($file)) {
            require_once $file;
        }
    }

    /** Stands for the class of api 3.0 with this name, if the project does not contain it. */
    class Err
    {
        const Success = 0;
        const Failure = 1;
    }

    /** See Err. */
    class Error
    {
        private $number;

        public function __construct($number = Err::Success)
        {
            $this->number = $number;
        }

        public function get()
        {
            return $this->number;
        }

        public function set($number): void
        {
            $this->number = $number;
        }
    }

    /** See Err. The setting `delegates` lists the methods that can be called; their arguments are not checked again. */
    class Request
    {
        public $error;
        private $path;
        private $params;

        public function __construct($path = null, $params = [])
        {
            $this->path = trim($path ?? ($params['module'] ?? '') . '/' . ($params['method'] ?? ''), '/');
            $this->params = $params;
            $is_allowed = in_array($this->path, (array) json_decode(setting('DELEGATES'), true), true);
            $this->error = new Error($is_allowed ? Err::Success : Err::Failure);
            if (!$is_allowed) {
                error_log("rulebook: the setting `delegates` does not list {$this->path}");
            }
        }

        public static function setAuthSystem($system = null): bool
        {
            return true;
        }

        /** Takes the path and the positions from a URL, or the path from the data and only the positions from the URL. */
        public static function remote($url, $data = []): self
        {
            $segments = array_values(array_filter(explode('/', (string) strtok($url, '?')), 'strlen'));
            $path = isset($data['module'], $data['method']) ? null : implode('/', array_splice($segments, 0, 2));
            foreach ($segments as $index => $segment) {
                $data["URL_$index"] = rawurldecode($segment);
            }
            return new self($path, $data);
        }

        public function dispatch(): Response
        {
            if ($this->error->get() !== Err::Success) {
                return new Response(['error' => $this->error]);
            }
            [$class, $function] = explode('/', $this->path);
            return new Response(call($class, $function, $this->params));
        }

        /** Sends the file that the method returns, and ends the script. Returns the response if the method fails. */
        public function download(): Response
        {
            $response = $this->dispatch();
            if ($response->error->get() === Err::Success) {
                discard_output();
                send_file($response->getAll());
                exit;
            }
            return $response;
        }
    }

    /** See Err. */
    class Response
    {
        public $error;
        private $outputs;

        public function __construct(array $result)
        {
            $error = error_of($result);
            $this->error = is_object($result['error'] ?? null) ? $result['error'] : new Error($error ?? Err::Success);
            unset($result['error']);
            $this->outputs = $error === null ? $result : [];
        }

        public function getAll(): array
        {
            return $this->outputs;
        }

        public function get($key)
        {
            return $this->outputs[$key] ?? null;
        }

        /** Returns the response as JSON. It does not set the HTTP status, which is that of the method that runs. */
        public function serialize(): string
        {
            $number = $this->error->get();
            $description = $number === Err::Success ? 'all right' : 'it failed';
            return json(['error' => $number, 'ErrorDescription' => $description] + $this->outputs);
        }
    }

    /** Sends a file: the member `body` of the result, with the header fields in the member `headers`. */
    function send_file(array $result): void
    {
        if (!isset($result['body'])) {
            fail('the method has returned no body');
        }
        ini_set('default_mimetype', '');
        foreach ((array) ($result['headers'] ?? []) as $name => $value) {
            // rulebook computes the length.
            if (strcasecmp($name, 'Content-Length') !== 0) {
                header("$name: $value");
            }
        }
        header('Rulebook-Outcome: file');
        if (is_resource($result['body'])) {
            fpassthru($result['body']);
        } else {
            echo $result['body'];
        }
    }

    /** Returns an array as an object of JSON. */
    function json(array $content): string
    {
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;
        return json_encode((object) $content, $flags);
    }

    /** Sends JSON. */
    function send_json(string $outcome, array $content): void
    {
        $json = json($content);
        header('Content-Type: application/json');
        header("Rulebook-Outcome: $outcome");
        echo $json;
    }

    /** Sends the result of a method. */
    function send(array $result): void
    {
        $error = error_of($result);
        unset($result['error']);
        if ($error !== null) {
            $content = is_int($error) ? ['number' => $error] + description($error) : ['name' => (string) $error];
            send_json('error', $content);
        } elseif (setting('DOWNLOAD') !== '') {
            send_file($result);
        } else {
            send_json('outputs', $result);
        }
    }
}

namespace {
    if (Rulebook\Bridge\setting('CLASS') === '') {
        http_response_code(404);
        exit;
    }
    // What the project prints would precede the result.
    ob_start();
    try {
        chdir(Rulebook\Bridge\setting('ROOT'));
        if (Rulebook\Bridge\setting('BOOTSTRAP') !== '') {
            require_once Rulebook\Bridge\setting('BOOTSTRAP');
        } elseif (is_file('autoloader.php')) {
            require_once 'autoloader.php';
        }
        spl_autoload_register('Rulebook\Bridge\load');
        foreach (['error\core\Err', 'error\core\Error', 'api\core\Error', 'api\core\Request', 'api\core\Response'] as $class) {
            if (!class_exists($class)) {
                class_alias('Rulebook\Bridge' . strrchr($class, '\\'), $class);
            }
        }
        $rulebook_result = Rulebook\Bridge\call(
            Rulebook\Bridge\setting('CLASS'),
            Rulebook\Bridge\setting('FUNCTION'),
            Rulebook\Bridge\arguments()
        );
        Rulebook\Bridge\discard_output();
        Rulebook\Bridge\send($rulebook_result);
    } catch (Throwable $error) {
        Rulebook\Bridge\fail(get_class($error) . ': ' . $error->getMessage() . " in {$error->getFile()}:{$error->getLine()}");
    }
}
