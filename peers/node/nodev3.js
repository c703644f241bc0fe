// wechatpay-node-v3 on the sandbox. It has no method for complaints; its parts for signing and sending are public.
const WxPay = require('wechatpay-node-v3');
const { PayRequest } = require('wechatpay-node-v3/dist/lib/pay-request');
const { env, text, today, say, go, notification, public: withPublicKey } = require('./common');

const REAL = 'https://api.mch.weixin.qq.com';
class Sandbox extends PayRequest {
  get(url, headers) { return super.get(url.replace(REAL, env.URL), headers); }
  post(url, params, headers) { return super.post(url.replace(REAL, env.URL), params, headers); }
}

const pay = new WxPay({
  appid: 'wx8888888888888888', mchid: env.MCHID, publicKey: Buffer.from(text('apiclient_cert.pem')), privateKey: Buffer.from(text('apiclient_key.pem')), key: text('apiv3_key'),
});
pay.createHttp(new Sandbox());

async function send(method, path, body) {
  const url = REAL + path;
  const headers = pay.getHeaders(pay.buildAuthorization(method, url, body), { 'Content-Type': 'application/json', 'Wechatpay-Serial': env.THEIR_SERIAL });
  const answer = method === 'GET' ? await pay.httpService.get(url, headers) : await pay.httpService.post(url, body, headers);
  if (answer.status < 200 || answer.status > 299) throw new Error(`${answer.status} ${answer.error}`);
  return answer.data;
}

const complaint = `/v3/merchant-service/complaints-v2/${env.COMPLAINT}`;
(async () => {
  await go('read', async () => pay.privateDecrypt((await send('GET', complaint)).payer_phone));
  await go('list', async () => {
    const { data } = await send('GET', `/v3/merchant-service/complaints-v2?limit=50&begin_date=${today()}&end_date=${today()}`);
    return (data.find((c) => c.complaint_id === env.COMPLAINT) || {}).complaint_id;
  });
  say({ operation: 'upload', cannot: 'its upload sends no headers, so no Authorization' });
  await go('reply', async () => { await send('POST', `${complaint}/response`, { complainted_mchid: env.MCHID, response_content: env.REPLY }); });
  await go('history', async () => (await send('GET', `${complaint}/negotiation-historys`)).data.pop().operate_details);
  await go('complete', async () => { await send('POST', `${complaint}-done/complete`, { complainted_mchid: env.MCHID }); });
  await go('echo', async () => {
    const theirs = text(withPublicKey ? 'pub_key.pem' : 'platform_cert.pem');
    const { encrypted_echo_message: e } = await send('POST', '/v3/security/echo', { echo_message: 'hello', encrypted_echo_message: pay.publicEncrypt(env.ECHO, theirs) });
    return pay.privateDecrypt(e);
  });
  if (withPublicKey) {
    say({ operation: 'notification', cannot: 'verifies with certificates that it loads, not with the public key' });
  } else {
    await go('notification', async () => {
      const { header: h, body } = await notification();
      const right = await pay.verifySign({
        timestamp: h['wechatpay-timestamp'], nonce: h['wechatpay-nonce'], body, serial: h['wechatpay-serial'], signature: h['wechatpay-signature'], apiSecret: text('apiv3_key'),
      });
      if (!right) throw new Error('does not verify');
      const r = JSON.parse(body).resource;
      return pay.decipher_gcm(r.ciphertext, r.associated_data, r.nonce, text('apiv3_key')).complaint_id;
    });
  }
  await go('certificates', async () => (await pay.get_certificates(text('apiv3_key')))[0].serial_no);
})();
