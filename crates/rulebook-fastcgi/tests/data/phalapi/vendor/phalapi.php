<?php
// A minimal framework with the behaviour that PhalApi documents: services, rules, exceptions and responses.
namespace PhalApi {
    class Exception extends \Exception
    {
    }

    /** The request, of which a JSON body is a part, and its service. */
    class Request
    {
        public $data;
        private $isFirst;

        public function __construct()
        {
            $this->isFirst = ($_SERVER['PHALAPI_VERSION'] ?? '2') === '1';
            $json = $this->isFirst ? null : json_decode(file_get_contents('php://input'), true);
            $this->data = is_array($json) ? array_merge($_REQUEST, $json) : $_REQUEST;
        }

        public function service()
        {
            if ($this->isFirst) {
                // As in PhalApi 1, without `s` and namespaces. Its default is a service that clients may not call.
                return array_merge(['App'], explode('.', (string) ($this->data['service'] ?? 'Admin.Hidden')));
            }
            $service = $this->data['service'] ?? $this->data['s'] ?? null;
            if ($service === null) {
                // As in PhalApi with `enable_uri_match`, which searches its script in the whole URI.
                $uri = $_SERVER['REQUEST_URI'];
                $script = strpos($uri, 'index.php');
                $start = $script === false ? 0 : $script + strlen('index.php');
                $end = strpos($uri, '?');
                $path = $end === false ? substr($uri, $start) : substr($uri, $start, $end - $start);
                $service = str_replace('/', '.', trim($path, '/'));
            }
            $parts = explode('.', $service === '' ? 'App.Site.Index' : (string) $service);
            $complete = [1 => array_merge(['App'], $parts, ['Index']), 2 => array_merge(['App'], $parts)];
            return $complete[count($parts)] ?? $parts;
        }
    }

    abstract class Api
    {
        /** @var Response */
        public $response;
        /** @var Request */
        public $request;
        private $values = [];

        public function __get($name)
        {
            return $this->values[$name] ?? null;
        }

        public function init($method)
        {
            $rules = array_change_key_case($this->getRules());
            foreach (($rules['*'] ?? []) + ($rules[strtolower($method)] ?? []) as $key => $rule) {
                $this->values[$key] = $this->value($rule);
            }
        }

        public function getRules()
        {
            return [];
        }

        private function value($rule)
        {
            $name = $rule['name'];
            $sources = ['header' => $_SERVER['HTTP_' . strtoupper(str_replace('-', '_', $name))] ?? null, 'cookie' => $_COOKIE[$name] ?? null];
            $value = isset($rule['source']) ? $sources[$rule['source']] : ($_FILES[$name] ?? $this->request->data[$name] ?? null);
            if ($value === null) {
                if (!empty($rule['require'])) {
                    throw new Exception\BadRequestException("wrong param: $name");
                }
                return $rule['default'] ?? null;
            }
            switch ($rule['type'] ?? 'string') {
                case 'int':
                    return (int) $value;
                case 'boolean':
                    return in_array($value, ['ok', 'true', 'success', 'on', 'yes', '1'], true);
                case 'date':
                    return ($rule['format'] ?? '') === 'timestamp' ? max(0, (int) strtotime($value)) : $value;
                case 'array':
                    return is_array($value) ? $value : explode($rule['separator'] ?? ',', $value);
                default:
                    return $value;
            }
        }
    }

    class PhalApi
    {
        public function response()
        {
            $response = new Response();
            $request = new Request();
            try {
                $service = $request->service();
                [$namespace, $class, $method] = $service + ['', '', ''];
                $class = "$namespace\\Api\\" . str_replace('_', '\\', ucfirst($class));
                if (!class_exists($class) || !method_exists($class, $method)) {
                    throw new Exception\BadRequestException('no such service as ' . implode('.', $service), 4);
                }
                $api = new $class();
                $api->response = $response;
                $api->request = $request;
                $api->init($method);
                $response->data = $api->$method();
            } catch (Exception $error) {
                $response->ret = $error->getCode();
                $response->msg = $error->getMessage();
            }
            return $response;
        }
    }

    class Response
    {
        public $ret = 200;
        public $data = [];
        public $msg = '';
        public $others = [];

        public function output()
        {
            header('Content-Type: application/json;charset=utf-8');
            echo json_encode(['ret' => $this->ret, 'data' => $this->data, 'msg' => $this->msg] + $this->others);
        }
    }
}

namespace PhalApi\Exception {
    class BadRequestException extends \PhalApi\Exception
    {
        public function __construct($message, $code = 0)
        {
            parent::__construct("Bad Request: $message", 400 + $code);
        }
    }

    class InternalServerErrorException extends \PhalApi\Exception
    {
        public function __construct($message, $code = 0)
        {
            parent::__construct("Interal Server Error: $message", 500 + $code);
        }
    }

    class RedirectException extends \PhalApi\Exception
    {
        public function __construct($message, $code = 0)
        {
            parent::__construct("Redirect: $message", 300 + $code);
        }
    }
}
