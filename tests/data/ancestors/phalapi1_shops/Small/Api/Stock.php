<?php
class Api_Stock extends PhalApi_Api {

    /** Returns what is left. */
    public function index() {
        return array('shop' => 'small');
    }
}
