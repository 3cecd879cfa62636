<?php
namespace App\Api;

use PhalApi\Api;
use PhalApi\Exception\BadRequestException;
use PhalApi\Exception\InternalServerErrorException;
use PhalApi\Exception\RedirectException;

/**
 * Responses that differ from their descriptions, and requests that the code reads itself
 */
class Demo extends Api {

    /**
     * Returns data that the description does not fit
     * @return int id
     * @return string name
     * @return object info
     * @return date at
     * @return float price
     * @return boolean ok
     */
    public function described() {
        $valid = array('id' => 1, 'name' => 'a', 'info' => array('a' => 1), 'at' => '2026-01-02', 'price' => 1.5, 'ok' => true);
        $cases = array(
            'valid' => $valid,
            'empty_object' => array('info' => array()) + $valid,
            'missing' => array('id' => 5),
            'int_as_text' => array('id' => '5') + $valid,
            'null' => array('name' => null) + $valid,
            'boolean_as_int' => array('ok' => 1) + $valid,
            'float_as_text' => array('price' => '1.50') + $valid,
            'zero_date' => array('at' => '0000-00-00 00:00:00') + $valid,
            'date_as_number' => array('at' => 1767312000) + $valid,
            'undescribed' => $valid + array('more' => array(1, 2)),
            'scalar' => 'done',
            'number' => 7,
            'list' => array(1, 2),
            'nothing' => null,
            'empty' => array(),
        );
        return $cases[$_GET['case']];
    }

    /**
     * Returns data without the only output of the description
     * @return int id
     */
    public function other() {
        $cases = array('nothing' => null, 'empty' => array(), 'more' => array('a' => 1), 'text' => 'done', 'list' => array(1));
        return $cases[$_GET['case']];
    }

    /** Has no description of its result */
    public function free() {
        return array('anything' => array('a', 1, null));
    }

    /** Leaves the framework, or changes its response */
    public function leave() {
        switch ($_GET['case']) {
            case 'download':
                header('Content-Type: text/csv; charset=utf-8');
                header('Content-Disposition: attachment; filename="a.csv"');
                echo "a;b\n", str_repeat('1;2', 30000);
                exit;
            case 'page':
                header('Content-Type: text/html; charset=gbk');
                exit("<p>\xc4\xe3</p>");
            case 'redirect':
                header('Location: https://example.org/a?b=c');
                exit;
            case 'moved':
                http_response_code(301);
                header('Location: /elsewhere');
                exit;
            case 'redirect_exception':
                throw new RedirectException('to another server', 1);
            case 'code':
                $this->response->ret = 600;
                $this->response->msg = 'own code';
                return array('a' => 1);
            case 'debug':
                $this->response->others = array('debug' => array('stack' => array('#1')));
                return array();
            case 'not_found':
                http_response_code(404);
                header('X-Own: 1');
                header('Set-Cookie: a=1');
                header('Set-Cookie: b=2', false);
                return array();
            case 'refused':
                throw new BadRequestException('wrong sign', 6);
            case 'internal':
                throw new InternalServerErrorException('the database is away', 1);
            case 'uncaught':
                throw new \LogicException('a secret');
            case 'jsonp':
                header('Content-Type: text/javascript; charset=utf-8');
                exit($_GET['callback'] . '({"ret":200})');
            case 'no_content':
                http_response_code(204);
                exit;
        }
    }

    /** Returns what PHP has received */
    public function seen() {
        return array(
            'get' => $_GET,
            'post' => $_POST,
            'request' => $_REQUEST,
            'cookie' => $_COOKIE,
            'files' => array_map(function ($file) {
                array_walk_recursive($file['tmp_name'], function (&$path) { $path = $path === '' ? '' : md5_file($path); });
                return $file;
            }, array_map(function ($file) { return array('tmp_name' => (array) $file['tmp_name']) + $file; }, $_FILES)),
            'body' => base64_encode(file_get_contents('php://input')),
            'method' => $_SERVER['REQUEST_METHOD'],
            'type' => $_SERVER['CONTENT_TYPE'] ?? null,
            'query' => $_SERVER['QUERY_STRING'] ?? null,
            'uri' => $_SERVER['REQUEST_URI'],
            'user' => $_SERVER['PHP_AUTH_USER'] ?? null,
            'fields' => array_filter($_SERVER, function ($name) { return strpos($name, 'HTTP_') === 0; }, ARRAY_FILTER_USE_KEY),
        );
    }
}
