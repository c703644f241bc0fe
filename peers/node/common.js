// What both Node clients are given, and how they say what they did: one line of JSON for each operation.
const { readFileSync } = require('fs');
const path = require('path');

const env = process.env;
const text = (name) => readFileSync(path.join(env.FOLDER, name), 'utf8');
const today = () => new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
const say = (done) => console.log(JSON.stringify(done));

async function go(operation, work) {
  try {
    const value = (await work()) || '';
    say({ operation, value });
    return value;
  } catch (e) {
    const refused = e.response && e.response.data ? ` ${JSON.stringify(e.response.data)}` : '';
    say({ operation, failed: `${e.name}: ${e.message}${refused}` });
    return '';
  }
}

async function notification() {
  const query = `merchant=${env.MERCHANT}&complaint_id=${env.COMPLAINT}&serial=${env.THEIR_SERIAL}`;
  const n = await (await fetch(`${env.URL}/sandbox/notification?${query}`)).json();
  const header = Object.fromEntries(Object.entries(n.header).map(([name, values]) => [name.toLowerCase(), values[0]]));
  return { header, body: n.body };
}

module.exports = { env, text, today, say, go, notification, public: env.KEYS === 'public' };
