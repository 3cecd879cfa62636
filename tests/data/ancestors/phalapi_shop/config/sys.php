<?php
return array(
    'debug' => false,
    'enable_uri_match' => true,
);
