<?php
class Api_Default extends PhalApi_Api {

    /** Returns the name of the shop. */
    public function index() {
        return array('shop' => 'big');
    }
}
