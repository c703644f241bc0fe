"""Reply to a complaint through Kesu, and hear what became of it.

    python kesu.py http COMPLAINT TEXT KEY    by HTTP, signed with SigV4
    python kesu.py event COMPLAINT TEXT KEY   by event
    python kesu.py settled                    read the settled events until none is left
"""
import json
import os
import sys
import time
from urllib.parse import quote

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

MERCHANT = os.environ.get("KESU_MERCHANT", "acme")
TRIES = 5
session = boto3.Session(region_name=os.environ["AWS_REGION"])


def told(result):
    """What to do about each of the four outcomes. Branch on the outcome; the code says why."""
    outcome, code = result["outcome"], result["code"]
    if outcome == "succeeded":
        return "done"
    if outcome == "rejected":  # it was not done, and will not be done as it stands
        return f"a person corrects it: {code} {result['message']}"
    if outcome == "retryable":  # it was certainly not done
        return f"later: {code}"
    return f"a person looks at the complaint before it is sent again: {code}"  # it may have been done


def by_http(complaint, text, key):
    url = f"{os.environ['KESU_API_URL']}/merchants/{MERCHANT}/complaints/{quote(complaint, safe='')}/reply"
    body = json.dumps({"response_content": text}, ensure_ascii=False).encode()
    for left in reversed(range(TRIES)):
        # A request is signed anew each time: a signature holds for five minutes. The idempotency key stays the same, so
        # that Kesu carries it out once, however often it is sent.
        request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json", "Idempotency-Key": key})
        SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(request)
        try:
            answer = requests.post(url, data=body, headers=dict(request.headers), timeout=35)
            result, wait = answer.json(), int(answer.headers.get("Retry-After", "1"))
            again = result["outcome"] == "retryable"
        except (requests.RequestException, ValueError, LookupError):  # no answer, or none of Kesu's: ask again
            result, wait, again = {"outcome": "retryable", "code": "no answer"}, 1, True
        if not again or left == 0:
            return told(result)
        time.sleep(wait)


def by_event(complaint, text, key):
    detail = {"merchant": MERCHANT, "complaint_id": complaint, "response_content": text, "idempotency_key": key}
    answer = session.client("events").put_events(Entries=[{
        "EventBusName": os.environ["KESU_BUS"], "Source": "shop", "DetailType": "ComplaintReplyRequested",
        "Detail": json.dumps(detail, ensure_ascii=False)}])
    entry = answer["Entries"][0]  # PutEvents answers 200 for what it did not take, too
    return "sent" if "EventId" in entry else f"not sent: {entry['ErrorCode']}"


def settled():
    sqs, queue = session.client("sqs"), os.environ["KESU_QUEUE_URL"]
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages"):
        for message in messages:
            event = json.loads(message["Body"])
            result = event["detail"]
            print(event["detail-type"], result["complaint_id"], told(result))
            if "request" in result:  # with rejected and unknown: the words, to correct or to send again
                print("  it said", result["request"]["response_content"])
            # An event may come twice: whoever acts on one must find out that he did before, by its complaint and key.
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "settled":
        settled()
    else:
        print({"http": by_http, "event": by_event}[command](*arguments))
