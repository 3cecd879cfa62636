<?php
namespace App\Api;

/**
 * The cart
 */
class Cart extends \PhalApi\Api {

    public function getRules() {
        return array(
            'add' => array(
                'id' => array('name' => 'id', 'type' => 'int', 'require' => 1),
                'count' => array('name' => 'count', 'type' => 'int', 'require' => '1', 'default' => 1),
                'note' => array('name' => 'note', 'require' => 'true', 'max' => 20),
                'gift' => array('name' => 'gift', 'type' => 'boolean', 'require' => 0),
                'express' => array('name' => 'express', 'require' => 'false'),
                'text' => [],
                'old' => null,
                'time' => false,
            ),
            'history' => array(
                'from' => array('name' => 'from', 'type' => 'date', 'require' => true, 'default' => date('Y-m-d')),
                'until' => array('name' => 'until', 'type' => 'date', 'max' => date('Y-m-d')),
                'at' => array('name' => 'at', 'type' => 'int', 'default' => time() - 60),
                'order' => array('name' => 'order', 'default' => \PhalApi\T('newest')),
                'kinds' => array('name' => 'kinds', 'type' => 'enum', 'range' => array_keys(array('a' => 1, 'b' => 2)), 'default' => 'a'),
            ),
            'pay' => array(
                'price' => array('name' => 'price', 'type' => 'price', 'require' => true, 'min' => 1),
                'coupon' => array('name' => 'coupon', 'type' => 'callable', 'callback' => 'App\Common\Coupon::check'),
                'address' => array('name' => 'REMOTE_ADDR', 'source' => 'server'),
            ),
        );
    }

    /**
     * Adds an article
     * @method POST
     * @deprecated
     * @return int  id      The article
     * @return url string   The address of its picture
     * @return string info[0].msg A message
     * @return string info[0]['code'] Its code
     */
    public function add() {
        $rs = array('id' => $this->id);
        return $rs;
    }

    /**
     * Returns what was bought
     * @return array list The orders
     * @return int list.id The id of an order
     * @return timestamp list.created The time of an order
     */
    public function history() {
        return array('list' => array());
    }

    /**
     * Pays the cart
     * @return string The number of the payment
     */
    public function pay() {
        session_start();
        $_SESSION['paid'] = true;
        return '1';
    }

    public function clear() {
        return array('rows' => 1);
    }
}
