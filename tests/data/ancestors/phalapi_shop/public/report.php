<?php
// Clients do not call services with this script.
echo $_GET['day'];
