<?php
namespace App\Api;

class Order extends \PhalApi\Api {

    public function all() {
    }
}
