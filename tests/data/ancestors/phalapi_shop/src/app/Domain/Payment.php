<?php
namespace App\Domain;

class Payment {

    /** Reads the notification of the bank. */
    public function notified() {
        $text = file_get_contents('php://input');
        $signature = $_SERVER['HTTP_X_SIGNATURE'];
        return array($text, $signature, \PhalApi\DI()->request->getHeader('X-Bank'), $_POST['order']);
    }
}
