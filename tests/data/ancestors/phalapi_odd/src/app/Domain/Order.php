<?php
namespace App\Domain;

use PhalApi\Exception\BadRequestException;

class Order {

    const LOCKED = 9;

    public function check($order) {
        if ($order['locked']) {
            throw new BadRequestException("the order {$order['id']} is locked", self::LOCKED);
        }
        if ($order['paid']) {
            throw new \PhalApi\Exception\BadRequestException('the order is paid', 3);
        }
    }
}
