<?php
/**
 * Users
 */
class APi_User extends PhalApi_Api {

    public function getRules() {
        return array(
            'GetName' => array('id' => array('name' => 'id', 'type' => 'int', 'require' => true)),
        );
    }

    /**
     * Returns the name of a user
     * @method POST
     * @return array('name' => the name)
     */
    public function getName() {
        return array('name' => 'ada');
    }
}
