<?php
namespace App\Api;

class Broken extends \PhalApi\Api {

    public function getRules() {
        throw new \RuntimeException('there is no database');
    }

    public function index() {
    }
}
