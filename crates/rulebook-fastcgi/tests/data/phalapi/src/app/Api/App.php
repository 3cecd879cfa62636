<?php
namespace App\Api;

/**
 * A class that PhalApi 1 runs for the name `App.Demo.Free`
 */
class App extends \PhalApi\Api {

    public function demo() {
        return array('done' => 'wiped');
    }
}
