<?php
namespace App\Api;

abstract class Base extends \PhalApi\Api {

    public function __construct() {
        throw new \RuntimeException('never called');
    }

    public function getRules() {
        return array('*' => array('token' => array('name' => 'token', 'require' => true)));
    }

    protected function userCheck() {
    }
}
