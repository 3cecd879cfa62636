<?php
namespace App\Api;

class App extends \PhalApi\Api {

    public function getRules() {
        $sizes = array();
        foreach (array('small', 'large') as $size) {
            $sizes["{$size}Count"] = array('name' => "$size-count", 'type' => 'int', 'default' => null);
        }
        return array(
            'match' => $sizes + array(
                'type' => array('name' => 'type', 'type' => 'enum'),
                'user.id' => array('name' => 'user.id', 'min' => '1', 'max' => INF),
                'check' => array('name' => 'check', 'type' => 'callable', 'callback' => function ($value) { return $value; }),
                'when' => array('name' => 'when', 'type' => 'date', 'format' => 'timestamp', 'default' => 'tomorrow'),
            ),
        );
    }

    public function match() {
    }
}
