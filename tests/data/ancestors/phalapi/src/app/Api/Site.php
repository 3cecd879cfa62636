<?php
namespace App\Api;

use PhalApi\Api;

/**
 * The start of the shop
 */
class Site extends Api {

    public function getRules() {
        return array(
            'index' => array(
                'username' => array('name' => 'username', 'default' => 'PhalApi', 'desc' => 'Who is greeted'),
            ),
        );
    }

    /**
     * Greets a user
     * @desc The default service
     * @return string title The greeting
     * @return string version The version of the shop
     * @return int time The current timestamp
     */
    public function index() {
        return array('title' => 'Hello ' . $this->username, 'version' => PHALAPI_VERSION, 'time' => $_SERVER['REQUEST_TIME']);
    }
}
