<?php
namespace App\Api;

use PhalApi\Api;
use PhalApi\Exception\BadRequestException;

/**
 * Services whose requests have a signature of all parameters
 */
class Signed extends Api {

    public function getRules() {
        return array(
            'check' => array(
                'username' => array('name' => 'username'),
                'remember' => array('name' => 'remember', 'type' => 'boolean', 'default' => true),
                'born' => array('name' => 'born', 'type' => 'date', 'format' => 'timestamp'),
                'price' => array('name' => 'price', 'type' => 'float', 'default' => 2.5),
                'ids' => array('name' => 'ids', 'type' => 'array', 'format' => 'explode'),
            ),
            'upload' => array(
                'file' => array('name' => 'file', 'type' => 'file'),
            ),
        );
    }

    /** Compares the signature: the MD5 of all values in the order of their names */
    public function check() {
        $values = $this->request->data;
        $sign = isset($values['sign']) ? $values['sign'] : '';
        unset($values['sign']);
        ksort($values);
        $text = implode('', array_map(function ($value) { return is_array($value) ? 'Array' : $value; }, $values));
        if (md5($text) !== $sign) {
            throw new BadRequestException('wrong sign of ' . $text, 6);
        }
        return array('file' => isset($this->file['size']) ? $this->file['size'] : null);
    }

    /** Compares the signature */
    public function index() {
        return $this->check();
    }

    /** Compares the signature of a form with a file */
    public function upload() {
        return $this->check();
    }
}
