<?php
namespace App\Api;

/**
 * Notes in a blog
 */
class Post extends \PhalApi\Api {

    public function getRules() {
        return array(
            'options' => array('id' => array('name' => 'id', 'type' => 'int')),
            'GET' => array('ids' => array('name' => 'ids', 'type' => 'array')),
        );
    }

    public function options() {
    }

    public function GET() {
    }
}
