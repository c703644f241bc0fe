// The desk: complaints, a conversation, the work on it.
import { start } from "/console/page.js";
import "/console/drawer.js";
import "/console/list.js";
import "/console/talk.js";
import "/console/attention.js";
import "/console/forms.js";

start("desk");
