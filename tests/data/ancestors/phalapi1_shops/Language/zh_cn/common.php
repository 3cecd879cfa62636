<?php
return array(
    'wrong param: {name}' => '参数{name}错误',
    'Bad Request: {message}' => '错误：{message}',
);
