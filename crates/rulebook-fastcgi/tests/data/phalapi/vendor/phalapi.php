<?php
// A minimal framework with the behaviour that PhalApi documents: services, rules, exceptions and responses.
namespace PhalApi {
    class Exception extends \Exception
    {
    }

    abstract class Api
    {
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
            $value = isset($rule['source']) ? $sources[$rule['source']] : ($_FILES[$name] ?? $_REQUEST[$name] ?? null);
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
            try {
                $parts = explode('.', $_REQUEST['service'] ?? 'Site.Index');
                [$class, $method] = array_slice($parts, -2);
                $class = 'App\\Api\\' . str_replace('_', '\\', ucfirst($class));
                if (!class_exists($class) || !method_exists($class, $method)) {
                    throw new Exception\BadRequestException("no such service as {$_REQUEST['service']}", 4);
                }
                $api = new $class();
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

        public function output()
        {
            header('Content-Type: application/json;charset=utf-8');
            echo json_encode(['ret' => $this->ret, 'data' => $this->data, 'msg' => $this->msg]);
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
}
