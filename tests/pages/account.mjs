// An account of the console, as staff have it: opened by its invitation, then a login with both factors.

import { createHmac } from 'node:crypto';

/** The code of an authenticator application (RFC 6238). */
export function totp(base32, milliseconds) {
  const bits = [...base32].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(milliseconds / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const code = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, '0');
}

/** Submits the form of the page and resolves to the answer; `button`: its selector. */
export async function submit(page, button = '.form button') {
  const [response] = await Promise.all([page.waitForNavigation(), page.click(button)]);
  return response;
}

/** Fills in the invitation that is open in `page`, up to its button. Returns the secret of the second factor. */
export async function acceptInvitation(page, password, now) {
  const secret = await page.$eval('input[name=secret]', it => it.value);
  await page.type('#nouveau', password);
  await page.type('#encore', password);
  await page.type('#code', totp(secret, now));
  return secret;
}

/** Opens an account by its invitation and logs in with both factors, from the instant `now` on. */
export async function enter(page, origin, invitation, address, password, now) {
  await page.goto(origin + invitation);
  const secret = await acceptInvitation(page, password, now);
  await submit(page);
  await enterPassword(page, origin, address, password);
  await submit(page);
  // A code is good once: that of the next half minute is accepted too.
  await page.type('#code', totp(secret, now + 30_000));
  const response = await submit(page);
  if (!response.ok()) throw new Error(`the login was answered by ${response.status()}`);
}

/** Fills in name and password, up to the button. */
export async function enterPassword(page, origin, address, password) {
  await page.goto(`${origin}/connexion`);
  await page.type('#adresse', address);
  await page.type('#mot-de-passe', password);
}
