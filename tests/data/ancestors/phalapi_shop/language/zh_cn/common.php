<?php
return array(
    'Shop' => '商店',
    '{name} require, but miss' => '请填写{name}',
);
