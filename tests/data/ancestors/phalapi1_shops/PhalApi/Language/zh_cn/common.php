<?php
return array('wrong param: {name}' => '参数{name}错误', 'Bad Request: {message}' => '非法请求：{message}');
