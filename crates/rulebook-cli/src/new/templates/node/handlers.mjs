// Binds a function to each method that the files in api/ define.

import { greet } from "./greeting.mjs";
import { handler, serve } from "./rulebook.mjs";

handler("greeting.greet", greet);

serve();
