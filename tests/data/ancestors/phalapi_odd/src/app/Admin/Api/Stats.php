<?php
namespace Admin\Api;

class Stats extends \PhalApi\Api {

    public function index() {
    }
}
