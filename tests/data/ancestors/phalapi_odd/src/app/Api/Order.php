<?php
namespace App\Api;

echo 'This text is not part of the export.';

class Order extends Base implements \PhalApi\Contract\AuditInterface {

    /**
     * Lists orders
     * @return array list[] The orders
     * @return integer list[].id The id of an order
     * @return mixed extra Anything
     * @exception 403 The order belongs to another user
     * @exception 403 The user is locked
     * @exception not a number
     * @method ANY
     * @ignore
     */
    public function all() {
    }

    private function hidden() {
    }

    public static function create() {
    }
}
