<?php
namespace Shop\Base;

abstract class ListApi extends \PhalApi\Api {

    public function getRules() {
        return array(
            'page' => array(
                'page' => array('name' => 'page', 'type' => 'int', 'min' => 1, 'default' => 1),
            ),
        );
    }

    /**
     * Returns a page of the list
     * @return array items The items of the page
     * @return int total The number of items
     */
    public function page() {
        return array('items' => array(), 'total' => 0);
    }

    protected function userCheck() {
    }
}
