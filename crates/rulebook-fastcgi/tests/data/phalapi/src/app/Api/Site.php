<?php
namespace App\Api;

/**
 * The default service
 */
class Site extends \PhalApi\Api {

    /** Returns the parameters */
    public function index() {
        return array('parameters' => $_REQUEST);
    }
}
