<?php
namespace App\Common;

class Limits {
    const NAME = 50;
}
