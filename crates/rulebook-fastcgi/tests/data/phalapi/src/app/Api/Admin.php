<?php
namespace App\Api;

/**
 * A service for which clients need a permission, and one that the definition does not contain
 */
class Admin extends \PhalApi\Api {

    /** Removes everything */
    public function wipe() {
        return array('done' => 'wiped');
    }

    public function hidden() {
        return array('done' => 'wiped');
    }
}
