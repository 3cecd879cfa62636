<?php
return array(
    'apiCommonRules' => array(
        'sign' => array('name' => 'sign', 'require' => 1),
        'time' => array('name' => 'time', 'type' => 'int', 'default' => time()),
    ),
    'service_whitelist' => array(
        'Cart.*',
    ),
    'log_folder' => API_ROOT . '/log',
);
