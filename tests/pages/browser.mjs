// The tools that scripts/pages installs, and a browser that asks nobody but us.

import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tmpdir } from 'node:os';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tools = join(root, 'target/page-tools');

/** Path of a file of the tools. */
export const tool = path => join(tools, 'node_modules', path);

/** A module of the tools; they lie where no import looks. */
export async function load(name) {
  try {
    const resolve = createRequire(join(tools, 'package.json')).resolve;
    return await import(pathToFileURL(resolve(name)));
  } catch (why) {
    console.error(`${name} is not there (${why.code ?? why}): run scripts/pages --install`);
    process.exit(3);
  }
}

function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const places = (process.env.PATH ?? '').split(delimiter).concat('/usr/bin');
  const found = names.flatMap(name => places.map(place => join(place, name))).find(path => existsSync(path));
  if (!found) {
    console.error('there is no chromium (apt-get install chromium), or CHROMIUM does not name it');
    process.exit(3);
  }
  return found;
}

/** A new browser with a profile of its own; `close` takes both away. */
export async function open() {
  const { default: puppeteer } = await load('puppeteer-core');
  const profile = await mkdtemp(join(tmpdir(), 'semainier-browser-'));
  const browser = await puppeteer.launch({
    executablePath: chromium(),
    userDataDir: profile,
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      // In a container /dev/shm may be too small for a page.
      '--disable-dev-shm-usage',
    ],
  });
  const close = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}
