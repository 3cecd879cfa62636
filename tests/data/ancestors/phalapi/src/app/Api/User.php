<?php
namespace App\Api;

use PhalApi\Api;
use PhalApi\Exception\BadRequestException;
use App\Common\Limits;

/**
 * Users
 * @desc Registration and login
 */
class User extends Api {

    public function getRules() {
        return array(
            '*' => array(
                'code' => array('name' => 'code', 'require' => true, 'min' => 4, 'max' => 4),
            ),
            'login' => array(
                'username' => array('name' => 'username', 'require' => true, 'min' => 1, 'max' => Limits::NAME),
                'password' => array('name' => 'password', 'require' => true, 'min' => 6),
                'isRememberMe' => array('name' => 'is_remember_me', 'type' => 'boolean', 'default' => true),
                'address' => array('name' => 'REMOTE_ADDR', 'source' => 'server'),
            ),
            'getList' => array(
                'ids' => array('name' => 'ids', 'type' => 'array', 'format' => 'explode', 'separator' => ','),
                'sex' => array('name' => 'sex', 'type' => 'enum', 'range' => array('female', 'male'), 'default' => 'female'),
                'mail' => array('name' => 'mail', 'type' => 'email'),
                'appVersion' => array('name' => 'app_version', 'type' => 'callable', 'callback' => array('App\Common\MyVersion', 'formatVersion')),
                'page' => array('name' => 'page', 'type' => 'int', 'min' => 1, 'default' => 1, 'is_doc_hide' => true),
            ),
            'upload' => array(
                'file' => array('name' => 'file', 'type' => 'file', 'require' => true, 'max' => 1024 * 1024, 'range' => array('image/jpeg', 'image/png'), 'ext' => 'jpeg,png'),
            ),
            'remove' => array(
                'id' => array('name' => 'id', 'type' => 'int'),
            ),
        );
    }

    /**
     * Logs a user in
     * @desc Opens a session and
     *   returns its token
     * @method POST
     * @return int code 0 if the login succeeded
     * @return object info The user
     * @return int info.id The id of the user
     * @return string info.name The name of the user
     * @exception 406 The signature is wrong
     */
    public function login() {
        if ($this->username === 'nobody') {
            throw new BadRequestException('wrong sign', 6);
        }
        return array('code' => 0);
    }

    /**
     * Lists users
     * @return array list The users
     * @return int list[].id The id of a user
     * @return money list[].balance The balance of a user
     */
    public function getList() {
        return array('list' => array());
    }

    /**
     * @return array
     */
    public function upload() {
        if (disk_free_space('/') < $this->file['size']) {
            throw new BadRequestException(\PhalApi\T('the disk is full'), 7);
        }
        return array();
    }

    /** Checks the session of each request. */
    protected function userCheck() {
    }

    public static function helper() {
    }
}
