// The bench: every call of the functions and of other programs, in full.
import { start } from "/console/page.js";
import "/console/drawer.js";
import "/console/calls.js";
import "/console/call.js";
import "/console/figures.js";
import "/console/foreign.js";
import "/console/watch.js";

start("bench");
