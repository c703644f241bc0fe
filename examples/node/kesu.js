// Reply to a complaint through Kesu, and hear what became of it.
//
//   node kesu.js http COMPLAINT TEXT KEY    by HTTP, signed with SigV4
//   node kesu.js event COMPLAINT TEXT KEY   by event
//   node kesu.js settled                    read the settled events until none is left
import { Sha256 } from "@aws-crypto/sha256-js";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { SignatureV4 } from "@smithy/signature-v4";

const { AWS_REGION: region, KESU_API_URL, KESU_BUS, KESU_QUEUE_URL, KESU_MERCHANT: merchant = "acme" } = process.env;
const tries = 5;

// What to do about each of the four outcomes. Branch on the outcome; the code says why.
function told({ outcome, code, message }) {
  switch (outcome) {
    case "succeeded": return "done";
    case "rejected": return `a person corrects it: ${code} ${message}`; // not done, and not to be done as it stands
    case "retryable": return `later: ${code}`; // certainly not done
    default: return `a person looks at the complaint before it is sent again: ${code}`; // it may have been done
  }
}

async function byHTTP(complaint, text, key) {
  const url = new URL(`${KESU_API_URL}/merchants/${merchant}/complaints/${encodeURIComponent(complaint)}/reply`);
  const signer = new SignatureV4({ service: "execute-api", region, credentials: fromNodeProviderChain(), sha256: Sha256 });
  const body = JSON.stringify({ response_content: text });
  for (let left = tries - 1; ; left--) {
    // A request is signed anew each time: a signature holds for five minutes. The idempotency key stays the same, so that
    // Kesu carries it out once, however often it is sent.
    const { headers } = await signer.sign({
      method: "POST", protocol: url.protocol, hostname: url.hostname, path: url.pathname, body,
      headers: { host: url.host, "content-type": "application/json", "idempotency-key": key },
    });
    let result, wait = 1;
    try {
      const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(35_000) });
      result = await answer.json();
      wait = Number(answer.headers.get("Retry-After") ?? 1);
    } catch {}
    // Without an answer, or with one that is not Kesu's, asking again tells what became of it.
    if (!result?.outcome) result = { outcome: "retryable", code: "no answer" };
    if (result.outcome !== "retryable" || left === 0) return told(result);
    await new Promise((resume) => setTimeout(resume, wait * 1000));
  }
}

async function byEvent(complaint, text, key) {
  const detail = { merchant, complaint_id: complaint, response_content: text, idempotency_key: key };
  const { Entries: [entry] } = await new EventBridgeClient().send(new PutEventsCommand({ Entries: [{
    EventBusName: KESU_BUS, Source: "shop", DetailType: "ComplaintReplyRequested", Detail: JSON.stringify(detail) }] }));
  return entry.EventId ? "sent" : `not sent: ${entry.ErrorCode}`; // PutEvents answers 200 for what it did not take, too
}

async function settled() {
  const sqs = new SQSClient(), QueueUrl = KESU_QUEUE_URL;
  for (;;) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));
    if (!Messages?.length) return;
    for (const { Body, ReceiptHandle } of Messages) {
      const { "detail-type": type, detail: result } = JSON.parse(Body);
      console.log(type, result.complaint_id, told(result));
      // With rejected and unknown come the words, to correct or to send again.
      if (result.request) console.log("  it said", result.request.response_content);
      // An event may come twice: whoever acts on one must find out that he did before, by its complaint and key.
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}

const [command, ...given] = process.argv.slice(2);
if (command === "settled") await settled();
else console.log(await { http: byHTTP, event: byEvent }[command](...given));
