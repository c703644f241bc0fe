// wechatpay-axios-plugin on the sandbox.
const { createHash } = require('crypto');
const { readFileSync } = require('fs');
const { Wechatpay, Rsa, Aes, Formatter, Multipart } = require('wechatpay-axios-plugin');
const { env, text, today, go, notification, public: withPublicKey } = require('./common');

const mchid = env.MCHID;
const complaint_id = env.COMPLAINT;
const key = Rsa.from(text('apiclient_key.pem'), Rsa.KEY_TYPE_PRIVATE);
const theirs = Rsa.from(text(withPublicKey ? 'pub_key.pem' : 'platform_cert.pem'), Rsa.KEY_TYPE_PUBLIC);

const wxpay = new Wechatpay({
  mchid,
  serial: env.SERIAL_NO,
  privateKey: key,
  certs: { [env.THEIR_SERIAL]: theirs },
  baseURL: `${env.URL}/`,
  headers: withPublicKey ? { 'Wechatpay-Serial': env.THEIR_SERIAL } : {}, // certificates are what an answer is signed with when none is named
});
const complaint = wxpay.v3.merchantService.complaintsV2._complaint_id_;

(async () => {
  await go('read', async () => Rsa.decrypt((await complaint.get({ complaint_id })).data.payer_phone, key));
  await go('list', async () => {
    const { data } = await wxpay.v3.merchantService.complaintsV2.get({ params: { limit: 50, begin_date: today(), end_date: today() } });
    return (data.data.find((c) => c.complaint_id === complaint_id) || {}).complaint_id;
  });
  const media = await go('upload', async () => {
    const picture = readFileSync(env.PICTURE);
    const meta = { filename: 'picture.png', sha256: createHash('sha256').update(picture).digest('hex') };
    const form = new Multipart().append('meta', JSON.stringify(meta)).append('file', picture, 'picture.png');
    const { data } = await wxpay.v3.merchantService.images.upload.post(form.getBuffer(), { meta, headers: form.getHeaders() });
    return data.media_id;
  });
  await go('reply', async () => {
    await complaint.response.post({ complainted_mchid: mchid, response_content: env.REPLY, response_images: [media] }, { complaint_id });
  });
  await go('history', async () => (await complaint.negotiationHistorys.get({ complaint_id })).data.data.pop().operate_details);
  await go('complete', async () => {
    await complaint.complete.post({ complainted_mchid: mchid }, { complaint_id: `${complaint_id}-done` });
  });
  await go('echo', async () => {
    const { data } = await wxpay.v3.security.echo.post(
      { echo_message: 'hello', encrypted_echo_message: Rsa.encrypt(env.ECHO, theirs) },
      { headers: { 'Wechatpay-Serial': env.THEIR_SERIAL } },
    );
    return Rsa.decrypt(data.encrypted_echo_message, key);
  });
  await go('notification', async () => {
    const { header: h, body } = await notification();
    const message = Formatter.response(h['wechatpay-timestamp'], h['wechatpay-nonce'], body);
    if (!Rsa.verify(message, h['wechatpay-signature'], theirs)) throw new Error('does not verify');
    const { nonce, ciphertext, associated_data } = JSON.parse(body).resource;
    return JSON.parse(Aes.AesGcm.decrypt(ciphertext, text('apiv3_key'), nonce, associated_data)).complaint_id;
  });
  await go('certificates', async () => {
    // The first load cannot be verified, so its own command line does it without the verifier, too.
    const transformResponse = [(data) => data];
    const { data } = await wxpay.v3.certificates.get({ transformResponse });
    const [{ serial_no, encrypt_certificate: e }] = JSON.parse(data).data;
    const pem = Aes.AesGcm.decrypt(e.ciphertext, text('apiv3_key'), e.nonce, e.associated_data);
    return pem.includes('BEGIN CERTIFICATE') ? serial_no : '';
  });
})();
