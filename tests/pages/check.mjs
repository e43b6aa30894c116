// Checks pages of a site that runs: node check.mjs ORIGIN FOLDER < LIST
//
// A line of the list: NAME KIND STATUS PATH [SELECTOR]
//   KIND      page; mail: the HTML of a mail; preview: a page that shows a mail in a frame. See `habits`
//   SELECTOR  of a button to press once the page is there: what comes then is checked, and STATUS is its own
// COOKIE, from the environment, is that of a login: NAME=VALUE.
// Into FOLDER go NAME.html as it was served, and pictures of it at 320 and 1280 pixels.
// Exit: 0 nothing found, 1 something found (said below its page), 3 a tool is missing.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { load, open, tool } from './browser.mjs';

const [origin, folder] = process.argv.slice(2);
const cookie = process.env.COOKIE?.split('=');
const WORKERS = 2;
const NARROW = { width: 320, height: 640 };
const WIDE = { width: 1280, height: 900 };
const looks = [
  { name: '320', viewport: NARROW, scheme: 'light' },
  { name: '1280', viewport: WIDE, scheme: 'light' },
  { name: 'dark', viewport: NARROW, scheme: 'dark' },
];

// What is let pass, by kind of page; nothing else is. First, what the HTML of a mail says for the sake of mail programs, though
// HTML has other words for it.
const mail = [
  // Outlook draws by these names.
  /^Attribute “xmlns:[ov]” not allowed here\.$/,
  // Outlook's tables have a gap of their own, unless they are told.
  /^CSS: “mso-table-[lr]space”: Property “mso-table-[lr]space” doesn't exist\.$/,
  // What Apple Mail called `color-scheme` before it was a standard.
  /^CSS: “supported-color-schemes”: Property “supported-color-schemes” doesn't exist\.$/,
  // Outlook takes a picture's height from its width then; others have it from the style beside it.
  /^Bad value “auto” for attribute “height” on element “img”: Expected a digit but saw “a” instead\.$/,
  // Old programs know no layout but by tables. They are said to be none (ARIA 1.2, presentation), and what is in their
  // cells keeps its meaning; this rule of HTML_CodeSniffer wants every paragraph in them to be without one.
  /^WCAG2AA\.Principle1\.Guideline1_3\.1_3_1\.F92,ARIA4: /,
  // A button of the width and height that Outlook can draw.
  /^Attribute “vertical-align” not allowed on element “td” at this point\.$/,
  /^CSS: “mso-padding-alt”: Property “mso-padding-alt” doesn't exist\.$/,
  // Outlook hides a preheader by no other word.
  /^CSS: “mso-hide”: Property “mso-hide” doesn't exist\.$/,
];
// The frame lets nothing run in it, the tools neither; its mail is checked as a page of kind mail.
const preview = [/^frame-tested: /];
const habits = { page: [], mail, preview };
const isHabit = (page, finding) => habits[page.kind].some(habit => habit.test(finding));

const { default: pa11y } = await load('pa11y');
const { snapshot } = await load('lighthouse');

async function main() {
  await mkdir(folder, { recursive: true });
  const pages = (await input()).map(line => {
    const [name, kind, status, path, selector] = line.split(/\s+/);
    return { name, kind, status: Number(status), path, selector, findings: [], scores: [] };
  });
  if (pages.length === 0) throw new Error('the list is empty');
  const waiting = [...pages];
  // A browser for each: a page behind another one is not drawn, and is waited for in vain.
  const work = async () => {
    const { browser, close } = await open();
    try {
      for (let page = waiting.shift(); page; page = waiting.shift()) await look(browser, page);
    } finally {
      await close();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await validate(pages);
  for (const { name, findings, scores } of pages) {
    console.log(`${findings.length ? 'WRONG' : 'good '} ${name.padEnd(20)} ${scores.join(', ')}`);
    for (const finding of findings) console.log(`      - ${finding}`);
  }
  return pages.some(page => page.findings.length) ? 1 : 0;
}

async function input() {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  return text.split('\n').map(line => line.trim()).filter(line => line && !line.startsWith('#'));
}

/** What a browser finds. */
async function look(browser, it) {
  const wrong = finding => it.findings.push(finding);
  const page = await browser.newPage();
  page.on('request', request => {
    const url = request.url();
    if (!url.startsWith('data:') && new URL(url).origin !== origin) wrong(`it fetches ${url}`);
  });
  page.on('console', message => {
    // That a page which is not there says 404 is as it should be.
    const own = it.status >= 400 && message.text().startsWith('Failed to load resource');
    if (['error', 'warn'].includes(message.type()) && !own) wrong(`console: ${message.text()}`);
  });
  await page.setViewport(NARROW);
  await page.setCacheEnabled(false);
  if (cookie) await page.setCookie({ name: cookie[0], value: cookie[1], url: origin, httpOnly: true });
  let response = await page.goto(origin + it.path, { waitUntil: 'load' });
  if (it.kind === 'mail') {
    // Its policy lets nothing run in it, the tools neither.
    await page.setBypassCSP(true);
    response = await page.reload({ waitUntil: 'load' });
  }
  // The server's answer is wanted, not the browser's own about a field left empty.
  if (it.selector) await page.$eval(it.selector, button => { button.form.noValidate = true; });
  if (it.selector) [response] = await Promise.all([page.waitForNavigation(), page.click(it.selector)]);
  if (response.status() !== it.status) wrong(`status ${response.status()}, not ${it.status}`);
  await writeFile(join(folder, `${it.name}.html`), await response.text());
  if ((await page.cookies()).some(it => it.name !== cookie?.[0])) wrong('it sets a cookie');
  // What the tools write there from here on is their own.
  page.removeAllListeners('console');

  for (const { name, viewport, scheme } of looks) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport(viewport);
    const { wide, widest } = await page.evaluate(() => {
      const root = document.documentElement;
      const out = [...document.body.querySelectorAll('*')].find(e => e.getBoundingClientRect().right > innerWidth + 1);
      return { wide: root.scrollWidth - root.clientWidth, widest: out?.outerHTML.slice(0, 120) };
    });
    if (wide > 0) wrong(`${name}: ${wide} pixels wider than the screen, by ${widest}`);
    const { issues } = await pa11y(page.url(), {
      browser, page, viewport, ignoreUrl: true, runners: ['axe', 'htmlcs'], standard: 'WCAG2AA', timeout: 60_000,
    });
    const all = issues.map(issue => `${issue.code}: ${issue.message} ${issue.selector}`);
    const left = all.filter(issue => !isHabit(it, issue));
    it.scores.push(`${name}: ${left.length}`);
    for (const issue of left) wrong(`${name}: ${issue}`);
    await page.screenshot({ path: join(folder, `${it.name}-${name}.png`), fullPage: true });
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(NARROW);
  const score = await oneAtATime(() => lighthouse(page, wrong));
  it.scores.push(`lighthouse ${score.toFixed(2)}`);
  await page.close();
}

async function lighthouse(page, wrong) {
  const flags = { onlyCategories: ['accessibility'], screenEmulation: { disabled: true }, formFactor: 'mobile' };
  const { lhr } = await snapshot(page, { flags: { ...flags, logLevel: 'error' } });
  const { score, auditRefs } = lhr.categories.accessibility;
  const audits = auditRefs.map(ref => lhr.audits[ref.id]);
  if (audits.filter(audit => audit.score === 1).length < 5) wrong('lighthouse: it could not look');
  for (const audit of audits) {
    if (audit.scoreDisplayMode === 'error') wrong(`lighthouse: ${audit.id}: ${audit.errorMessage}`);
    if (audit.score === null || audit.score === 1) continue;
    const where = audit.details?.items?.map(item => item.node?.selector).join(' ');
    wrong(`lighthouse: ${audit.id}: ${audit.title} ${where}`);
  }
  if (score !== 1) wrong(`lighthouse: ${score}`);
  return score ?? 0;
}

/** Lighthouse keeps its marks in one place for all: two at once spoil them. */
let before = Promise.resolve();
function oneAtATime(work) {
  const result = before.then(work);
  before = result.catch(() => {});
  return result;
}

/** What the checker of HTML finds, all files at once: a Java machine starts slowly. */
async function validate(pages) {
  const files = pages.map(page => join(folder, `${page.name}.html`));
  const args = ['-Xss4m', '-jar', tool('vnu-jar/build/dist/vnu.jar'), '--exit-zero-always', '--errors-only'];
  const { stderr } = await promisify(execFile)('java', [...args, '--format', 'json', ...files], { maxBuffer: 1 << 26 });
  const { messages } = JSON.parse(stderr);
  const left = messages.filter(message => {
    const page = pages.find(page => basename(message.url ?? '') === `${page.name}.html`);
    if (page && isHabit(page, message.message)) return false;
    (page ?? pages[0]).findings.push(`vnu, line ${message.lastLine}: ${message.message}`);
    return true;
  });
  for (const page of pages) {
    const own = left.filter(message => basename(message.url ?? '') === `${page.name}.html`).length;
    page.scores.push(`vnu ${own}`);
  }
}

process.exit(await main());
