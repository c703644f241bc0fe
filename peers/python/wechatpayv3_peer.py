"""wechatpayv3 on the sandbox: one line of JSON for each operation."""
import json
import os
import urllib.request
from datetime import datetime, timedelta, timezone

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

env = os.environ
sandbox, folder, complaint, mchid = env["URL"], env["FOLDER"], env["COMPLAINT"], env["MCHID"]
public = env["KEYS"] == "public"

send = requests.Session.request
requests.Session.request = lambda self, method, url, **more: send(self, method, url.replace("https://api.mch.weixin.qq.com", sandbox), **more)


def text(name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def client(keys):
    return WeChatPay(WeChatPayType.NATIVE, mchid=mchid, private_key=text("apiclient_key.pem"), cert_serial_no=env["SERIAL_NO"],
                     apiv3_key=text("apiv3_key"), appid="wx8888888888888888", notify_url="https://www.example.com/notify", **keys)


def answer(result, status=200):
    code, body = result
    if code != status:
        raise RuntimeError(f"{code} {body}")
    return json.loads(body) if body else {}


def do(operation, work):
    done = {"operation": operation}
    try:
        done["value"] = work() or ""
    except Exception as e:  # whatever the client throws is what its user gets
        done["failed"] = f"{type(e).__name__}: {e}"
    print(json.dumps(done), flush=True)
    return done.get("value")


def listed():
    day = datetime.now(timezone(timedelta(hours=8))).strftime("%Y-%m-%d")
    found = answer(pay.complaint_list_query(begin_date=day, end_date=day, limit=50))
    return next((c["complaint_id"] for c in found["data"] if c["complaint_id"] == complaint), "")


def notified():
    with urllib.request.urlopen(f"{sandbox}/sandbox/notification?merchant={env['MERCHANT']}&complaint_id={complaint}&serial={env['THEIR_SERIAL']}") as r:
        n = json.load(r)
    headers = {name: values[0] for name, values in n["header"].items()}
    return pay.callback(headers, n["body"])["resource"]["complaint_id"]


pay = client({"public_key": text("pub_key.pem"), "public_key_id": env["THEIR_SERIAL"]} if public else {})
do("read", lambda: pay.decrypt(answer(pay.complaint_detail_query(complaint))["payer_phone"]))
do("list", listed)
media = do("upload", lambda: answer(pay.complaint_image_upload(env["PICTURE"]))["media_id"])
do("reply", lambda: answer(pay.complaint_response(complaint, env["REPLY"], response_images=[media]), 204) and "")
do("history", lambda: answer(pay.complaint_history_query(complaint))["data"][-1]["operate_details"])
do("complete", lambda: answer(pay.complaint_complete(complaint + "-done"), 204) and "")
print(json.dumps({"operation": "echo", "cannot": "has no method for it, nor one that calls any path"}))
do("notification", notified)


def certificates():
    client({"cert_dir": os.environ["SCRATCH"]})  # loads them, and keeps each as a file
    return os.listdir(os.environ["SCRATCH"])[0].removesuffix(".pem")


do("certificates", certificates)
