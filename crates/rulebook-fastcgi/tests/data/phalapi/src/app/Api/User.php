<?php
namespace App\Api;

use PhalApi\Api;
use PhalApi\Exception\BadRequestException;
use PhalApi\Exception\InternalServerErrorException;

/**
 * Users
 */
class User extends Api {

    public function getRules() {
        return array(
            '*' => array(
                'sign' => array('name' => 'X-Sign', 'source' => 'header'),
            ),
            'login' => array(
                'username' => array('name' => 'username', 'require' => true, 'min' => 1, 'max' => 50),
                'password' => array('name' => 'password', 'require' => true, 'min' => 6),
                'isRememberMe' => array('name' => 'is_remember_me', 'type' => 'boolean', 'default' => true),
                'born' => array('name' => 'born', 'type' => 'date', 'format' => 'timestamp'),
            ),
            'getList' => array(
                'ids' => array('name' => 'ids', 'type' => 'array', 'format' => 'explode', 'separator' => ','),
            ),
            'upload' => array(
                'file' => array('name' => 'file', 'type' => 'file', 'require' => true, 'max' => 1024 * 1024),
            ),
        );
    }

    /**
     * Logs a user in
     * @return int code 0 if the login succeeded
     * @return object info The user
     */
    public function login() {
        if ($this->username === 'nobody') {
            throw new BadRequestException('wrong sign', 6);
        }
        if ($this->username === 'broken') {
            throw new InternalServerErrorException('the database is away', 1);
        }
        return array('code' => 0, 'info' => array(
            'name' => $this->username,
            'remembered' => $this->isRememberMe,
            'born' => $this->born,
            'sign' => $this->sign,
        ));
    }

    /**
     * Lists users
     * @return array list The users
     */
    public function getList() {
        return array('list' => array_map(function ($id) { return array('id' => (int) $id); }, $this->ids));
    }

    /**
     * Saves a picture
     * @return string name Its name
     * @return int size Its size
     */
    public function upload() {
        return array('name' => $this->file['name'], 'size' => $this->file['size']);
    }

    public function remove() {
    }
}
