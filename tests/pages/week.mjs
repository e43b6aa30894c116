// What the communications officer does in her week, in a real browser, and how long a person needs for it.
//
//   node week.mjs ORIGIN INVITATION ADDRESS PASSWORD MILLISECONDS SCRIPTS < TASKS
//
// Opens the account, logs in at that instant with both factors (scripts 'on' or 'off'), then does each task: a line of JSON
// {"name": "…", "steps": [[STEP, ARGUMENT…]…]}, all of them from the page « Ce soir ». Prints a line of JSON a task:
// {"name", "person", "clicks", "machine", "said"}. Steps:
//   ["read", SELECTOR]          looks for it and reads it; its words go to `said`
//   ["follow", SELECTOR, WORDS] clicks the link or button that holds the words, and waits for the page
//   ["tick", SELECTOR]          clicks a box
//   ["choose", SELECTOR, VALUE] opens a list and clicks one of its values
//   ["type", SELECTOR, TEXT]    clicks a field and types
//   ["attach", SELECTOR, PATH]  opens the dialog of a field for files, and picks a file that is in sight
//   ["enter", SELECTOR]         presses the enter key in the field, and waits for the page
//
// `machine` is the time that the machine took, `person` what a person takes by the keystroke-level model (S. K. Card, T. P. Moran,
// A. Newell, "The keystroke-level model for user performance time with interactive systems", CACM 23(7), 1980): 1.35 s to
// decide, 1.1 s to point, 0.1 s to press or let go of the button, 0.4 s from mouse to keyboard and back, 0.28 s a key of an
// average typist; and 238 words a minute read in silence (M. Brysbaert, "How many words do we read per minute?", Journal of
// Memory and Language 109, 2019).
//
// Exit: 0 done, 1 it could not be done, 3 a tool is missing.

import { enter } from './account.mjs';
import { open } from './browser.mjs';

const [origin, invitation, address, password, now, scripts] = process.argv.slice(2);
const PATIENCE = 20_000;
const DECIDE = 1.35, POINT = 1.1, CLICK = 0.2, HOME = 0.4, KEY = 0.28, WORD = 60 / 238;
setTimeout(() => { console.error('the browser does not come to an end'); process.exit(1); }, 240_000).unref();

const plain = text => text.replace(/\s+/g, ' ').trim();

async function perform(page, { name, steps }) {
  let [person, clicks, said] = [0, 0, ''];
  const begun = performance.now();
  await page.goto(`${origin}/`);
  for (const [step, selector, text] of steps) {
    const at = `${name}: ${step} ${selector} ${text ?? ''} on ${page.url()}`;
    if (step === 'read') {
      const element = await page.$(selector);
      if (!element) throw new Error(`${at}: it is not there: ${plain(await page.$eval('main', it => it.innerText))}`);
      said = plain(await element.evaluate(it => it.innerText));
      person += DECIDE + said.split(' ').length * WORD;
    } else if (step === 'follow') {
      let found;
      for (const it of await page.$$(selector)) {
        if (!found && plain(await it.evaluate(it => it.textContent)).includes(text)) found = it;
      }
      if (!found) throw new Error(`${at}: it is not there: ${plain(await page.$eval('main', it => it.innerText))}`);
      person += DECIDE + POINT + CLICK;
      clicks += 1;
      const [response] = await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), found.click()]);
      if (!response.ok()) throw new Error(`${at}: answered by ${response.status()}`);
    } else if (step === 'tick') {
      await page.click(selector);
      person += DECIDE + POINT + CLICK;
      clicks += 1;
    } else if (step === 'choose') {
      const chosen = await page.select(selector, text);
      if (!chosen.includes(text)) throw new Error(`${at}: there is no such value`);
      person += 2 * (DECIDE + POINT + CLICK);
      clicks += 2;
    } else if (step === 'type') {
      await page.type(selector, text);
      person += DECIDE + POINT + CLICK + 2 * HOME + text.length * KEY;
      clicks += 1;
    } else if (step === 'attach') {
      await (await page.$(selector)).uploadFile(text);
      // The field, the file, and the button of the dialog.
      person += 3 * (DECIDE + POINT + CLICK);
      clicks += 3;
    } else if (step === 'enter') {
      await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.focus(selector).then(() => page.keyboard.press('Enter'))]);
      person += KEY;
    } else {
      throw new Error(`no such step: ${step}`);
    }
  }
  return { name, person, clicks, machine: (performance.now() - begun) / 1000, said };
}

async function input() {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  return text.split('\n').filter(line => line.trim()).map(line => JSON.parse(line));
}

const { browser, close } = await open();
try {
  const tasks = await input();
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', why => complaints.push(String(why)));
  await page.setJavaScriptEnabled(scripts === 'on');
  await enter(page, origin, invitation, address, password, Number(now));
  for (const task of tasks) console.log(JSON.stringify(await perform(page, task)));
  if (complaints.length) throw new Error(`the browser complains: ${complaints.join('; ')}`);
} catch (why) {
  console.error(why);
  process.exitCode = 1;
} finally {
  await close();
}
