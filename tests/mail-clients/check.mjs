// What the HTML of our mails uses that the partners' mail programs do not show, by the data of caniemail.com.
// usage: check.mjs ENHANCEMENTS.json TOOLS NAME.html…     exit code 1 if something is not supported and not in the list
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const CLIENTS = [
  'orange.*', 'sfr.*', 'laposte.*', 'free-fr.*', 'gmail.*', 'outlook.*', 'apple-mail.*', 'thunderbird.*',
];

const [list, tools, ...files] = process.argv.slice(2);
const inTools = file => path.resolve(tools, 'node_modules/caniemail/dist', file);
const { caniemail } = await import(pathToFileURL(inTools('index.js')).href);
const { data } = JSON.parse(fs.readFileSync(inTools('data/caniemail.json'), 'utf8'));
const support = new Map(data.map(({ title, stats }) => [title, stats]));

// `free-fr.desktop-webmail`: the data has some that the library does not know.
const all = [...new Set(data.flatMap(({ stats }) => Object.entries(stats).flatMap(
  ([family, of]) => Object.keys(of).map(platform => `${family}.${platform}`))))];
const wanted = all.filter(client => CLIENTS.some(it => client.startsWith(it.slice(0, -1))));

// Titles of what is used, except what every program that the library knows shows in full.
function featuresOf(html) {
  const found = new Set();
  for (const client of all) {
    for (let rest = html; ;) {
      try {
        const { issues } = caniemail({ clients: [client], html: rest });
        for (const kind of ['errors', 'warnings'])
          for (const [, those] of issues?.[kind] ?? new Map()) for (const { title } of those) found.add(title);
        break;
      } catch (error) {
        if (/were not found$/.test(error.message)) break;
        // The data of a feature may lack a program; without the feature the library looks at the rest.
        const lacks = /^Feature "([^"]+)" not found on/.exec(error.message)?.[1];
        if (!lacks || !rest.includes(lacks)) throw error;
        found.add(lacks);
        rest = rest.replaceAll(lacks, 'color');
      }
    }
  }
  return found;
}

// By its newest version that was tested: `n`, or `n #1` with a note. Nobody has tested everything (`u`, or nothing): that is counted.
const untested = new Set();
function isUnsupported(feature, client) {
  const [family, platform] = client.split('.');
  const versions = Object.entries(support.get(feature)?.[family]?.[platform] ?? {});
  versions.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const answer = versions.at(-1)?.[1] ?? 'u';
  if (answer.startsWith('u')) untested.add(`${feature} ${client}`);
  return answer.startsWith('n');
}

const allowed = JSON.parse(fs.readFileSync(list, 'utf8'));
const used = new Set();
const wrong = new Map();
for (const file of files) {
  for (const feature of featuresOf(fs.readFileSync(file, 'utf8'))) {
    for (const client of wanted.filter(client => isUnsupported(feature, client))) {
      const where = allowed[feature]?.without ?? [];
      const known = where.find(it => client === it || client.startsWith(`${it}.`));
      if (known) used.add(`${feature} ${known}`);
      else {
        const places = wrong.get(feature) ?? new Map();
        places.set(client, (places.get(client) ?? new Set()).add(path.basename(file, '.html')));
        wrong.set(feature, places);
      }
    }
  }
}
for (const [feature, places] of wrong) {
  const names = new Set([...places.values()].flatMap(it => [...it]));
  console.error(`mail-clients: ${feature}: not supported by ${[...places.keys()].join(', ')}; used in ${[...names].join(', ')}`);
}
let idle = 0;
for (const [feature, { without }] of Object.entries(allowed)) {
  for (const client of without.filter(it => !used.has(`${feature} ${it}`))) {
    idle += 1;
    console.error(`mail-clients: ${feature}, ${client}: listed in ${list}, but not needed any more`);
  }
}
console.log(`  ${files.length} mails, ${wanted.length} mail programs; ${Object.keys(allowed).length} features that some do without; `
  + `${untested.size} pairs of feature and program that nobody has tested`);
process.exitCode = wrong.size || idle ? 1 : 0;
