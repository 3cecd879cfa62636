<?php
// The settings of the shop.
return array(
    // Parameters of all services.
    'apiCommonRules' => array(
        'sign' => array('name' => 'sign', 'require' => true, 'desc' => 'The signature of the request'),
        'version' => array('name' => 'version', 'default' => ''),
    ),

    'service_whitelist' => array(
        'Site.Index',
    ),

    'mail_sender' => 'shop@example.org',
);
