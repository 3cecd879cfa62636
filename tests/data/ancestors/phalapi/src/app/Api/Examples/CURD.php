<?php
namespace App\Api\Examples;

use PhalApi\Api;

/**
 * Notes
 */
class CURD extends Api {

    public function getRules() {
        return [
            'get' => ['id' => ['name' => 'id', 'type' => 'int', 'require' => true, 'min' => 1]],
            'search' => ['size' => ['name' => 'size', 'type' => 'int', 'max' => \PhalApi\DI()->config->get('app.page_size')]],
        ];
    }

    /**
     * Returns a note
     */
    public function get() {
    }

    /**
     * Searches notes
     */
    public function search() {
    }
}
