// A visitor with a browser, for the tests in tests/web; all links are of one site.
//
//   node visit.mjs scan ORIGIN PATH…         as the scanner of a mail server: opens each, scripts allowed, and each link
//                                            of what it shows; presses nothing. Prints a line "STATUS PATH" a page opened
//   node visit.mjs press ORIGIN PATH BUTTON  as a person without scripts: opens it, presses the button of these words, and
//                                            prints what is shown then
//   node visit.mjs order ORIGIN PATH SCRIPTS PACKS HANDOVER
//                                            as a person in a hurry, with scripts 'on' or 'off': fills in the form, presses
//                                            twice, goes back and presses again; prints what is shown then
//   node visit.mjs enter ORIGIN INVITATION ADDRESS PASSWORD MILLISECONDS SCRIPTS
//                                            as staff, with scripts 'on' or 'off': opens an account by its invitation, logs
//                                            in with both factors at that instant, and out; prints what each page says first
//   node visit.mjs cookie ORIGIN INVITATION ADDRESS PASSWORD
//                                            the same up to the login; prints the cookie of the session, NAME=VALUE
//
//   node visit.mjs stay ORIGIN INVITATION ADDRESS PASSWORD MILLISECONDS
//                                            logs in at that instant and stays on a page; prints what it says of the session's
//                                            end before, shortly before, after the button, and after its end
//   node visit.mjs raster - SCALE SVG PNG…     each picture as a browser shows it within a page, so many pixels to its own
//
// Exit: 0 done, 1 it could not be done, 3 a tool is missing.

import { readFile } from 'node:fs/promises';
import { acceptInvitation, enter as logIn, enterPassword, totp } from './account.mjs';
import { open } from './browser.mjs';

const [task, origin, ...rest] = process.argv.slice(2);
/** For a page with its scripts, and for all. */
const PATIENCE = 20_000;
setTimeout(() => { console.error('the browser does not come to an end'); process.exit(1); }, 120_000).unref();

async function scan(page, paths) {
  const opened = new Map();
  page.on('response', response => {
    const { origin: from, pathname } = new URL(response.url());
    if (from === origin && response.request().isNavigationRequest()) opened.set(pathname, response.status());
  });
  const visit = async path => {
    // A document is loaded down rather than shown: that ends the navigation, after the answer has come.
    const quiet = why => { if (!/ERR_ABORTED/.test(why.message)) throw why; };
    await page.goto(origin + path, { waitUntil: 'networkidle0', timeout: PATIENCE }).catch(quiet);
  };
  const shown = () => page.$$eval('[href], [src], form', all => all.map(it => {
    const url = ['href', 'src', 'action'].map(name => it.getAttribute(name)).find(url => url) ?? '';
    return new URL(url, location.href).href;
  }));
  const next = new Set();
  for (const path of paths) {
    await visit(path);
    for (const url of await shown()) if (url.startsWith(`${origin}/`)) next.add(new URL(url).pathname);
  }
  for (const path of next) if (!paths.includes(path)) await visit(path);
  return [...opened].map(([path, status]) => `${status} ${path}`).join('\n');
}

async function press(page, [path, words]) {
  await page.setJavaScriptEnabled(false);
  await page.goto(origin + path);
  const plain = text => text.replace(/\s+/g, ' ').trim();
  for (const button of await page.$$('button')) {
    if (plain(await button.evaluate(it => it.textContent)) !== words) continue;
    const [response] = await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), button.click()]);
    if (!response.ok()) throw new Error(`it was answered by ${response.status()}`);
    return plain(await page.$eval('main', main => main.innerText));
  }
  throw new Error(`there is no button « ${words} »`);
}

async function order(page, [path, scripts, packs, handover]) {
  await page.setJavaScriptEnabled(scripts === 'on');
  await page.goto(origin + path);
  await page.click('input[name=packs]', { clickCount: 3 });
  await page.type('input[name=packs]', packs);
  await page.click(`input[name=handover][value=${handover}]`);
  const press = async presses => {
    const answered = page.waitForNavigation({ waitUntil: 'networkidle0', timeout: PATIENCE });
    await page.click('form:has(input[name=packs]) button', { clickCount: presses });
    const response = await answered;
    if (!response.ok()) throw new Error(`it was answered by ${response.status()}`);
  };
  await press(2);
  await page.goBack();
  await press(1);
  return (await page.$eval('main', main => main.innerText)).replace(/\s+/g, ' ').trim();
}

async function enter(page, [invitation, address, password, now, scripts]) {
  await page.setJavaScriptEnabled(scripts === 'on');
  const said = [];
  page.on('console', message => said.push(`console: ${message.text()}`));
  page.on('pageerror', why => said.push(`error: ${why}`));
  const press = async selector => {
    const [response] = await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click(selector)]);
    said.push(`${response.status()} ${await page.$eval('h1', it => it.innerText)}`);
  };
  await page.goto(origin + invitation);
  const square = await page.$eval('svg.qr', it => it.getBoundingClientRect().width);
  if (square < 150) throw new Error(`nobody can photograph a square of ${square}`);
  const secret = await acceptInvitation(page, password, Number(now));
  await press('.form button');
  await enterPassword(page, origin, address, password);
  await press('.form button');
  await page.type('#code', totp(secret, Number(now) + 30_000));
  await press('.form button');
  said.push(`cookies a script sees: ${await page.evaluate(() => document.cookie)}`);
  await page.goto(`${origin}/moi`);
  await page.select('#langue', 'en');
  await press('form[action="/moi/langue"] button');
  await press('form[action="/deconnexion"] button');
  const response = await page.goto(`${origin}/envois`);
  said.push(`${response.status()} ${new URL(page.url()).pathname}`);
  return said.join('\n');
}

async function cookie(page, [invitation, address, password]) {
  await logIn(page, origin, invitation, address, password, Date.now());
  const session = (await page.cookies()).find(it => /semainier$/.test(it.name));
  return `${session.name}=${session.value}`;
}

/** The end of the session is moved as another window would move it. */
async function stay(page, [invitation, address, password, now]) {
  await logIn(page, origin, invitation, address, password, Number(now));
  const words = () => page.$eval('.ending [role=status]', it => it.textContent);
  const ends = seconds => page.evaluate(seconds => { localStorage.ends = Date.now() + seconds * 1000; }, seconds);
  const said = [`before: ${await words()}`];
  const changed = async (name, act) => {
    const before = await words();
    await act();
    for (let n = 0; n < 100 && await words() === before; n += 1) await new Promise(later => { setTimeout(later, 100); });
    said.push(`${name}: ${await words()}`);
  };
  await changed('soon', () => ends(60));
  await changed('kept', () => page.click('.ending button'));
  if (!(await page.$eval('.ending button', it => it.hidden))) throw new Error('the button is still there');
  await changed('over', () => ends(-1));
  return said.join('\n');
}

/** Within <img>, as pages show it; the size of a pixel of paper is a point. */
async function raster(page, [scale, ...files]) {
  for (let n = 0; n < files.length; n += 2) {
    const src = `data:image/svg+xml;base64,${(await readFile(files[n])).toString('base64')}`;
    await page.setContent(`<style>body{margin:0}img{display:block}</style><img src="${src}">`);
    const size = await page.$eval('img', async it => { await it.decode(); return [it.naturalWidth, it.naturalHeight]; });
    // A point is 4/3 of a pixel of CSS.
    const [width, height] = size.map(it => Math.round(it * 0.75 * Number(scale)));
    await page.setViewport({ width, height });
    await page.$eval('img', (it, width, height) => { it.style.width = `${width}px`; it.style.height = `${height}px`; }, width, height);
    await page.screenshot({ path: files[n + 1] });
  }
  return 'done';
}

const { browser, close } = await open();
try {
  const page = await browser.newPage();
  console.log(await { scan, press, order, enter, cookie, stay, raster }[task](page, rest));
} catch (why) {
  console.error(why);
  process.exitCode = 1;
} finally {
  await close();
}
