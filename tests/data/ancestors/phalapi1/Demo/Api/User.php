<?php
class Api_User extends PhalApi_Api {

    public function getRules() {
        return array(
            'getBaseInfo' => array(
                'userId' => array('name' => 'user_id', 'type' => 'int', 'min' => 1, 'require' => true),
                'version' => array('name' => 'version', 'type' => 'callable', 'callback' => array('Common_MyVersion', 'formatVersion')),
            ),
        );
    }

    /**
     * Gets basic information about a user
     * @desc Used to display a profile
     * @return array list user info list
     * @return int list[].id user ID
     * @return string list[].name username
     * @return string list[].note user note
     */
    public function getBaseInfo() {
        return array('list' => array());
    }
}
