import { any, app, compositions, forbid, scenes, tests } from './paths.mjs';

export function kernelRules(kernel, kernelForModules) {
  return [
    ...Object.entries(kernel).map(([folder, below]) => order(folder, below)),
    forbid(
      'kernel-folders-are-entered-by-their-index',
      { path: '^src/shared/([^/]+)/|^src/' },
      { path: '^src/shared/[^/]+/', pathNot: ['^src/shared/[^/]+/index\\.ts$', '^src/shared/$1/', scenes] },
      'The door of a kernel folder is its index.ts; what is behind it changes without notice. Import from the index.ts, and export there what is missing.',
    ),
    forbid(
      'the-kernel-knows-no-module',
      { path: '^src/shared/' },
      { path: '^src/modules/' },
      'The kernel serves any business, so it may not know this one. Let the module hand in what is needed, through defineModule or its contract.',
    ),
    forbid(
      'modules-do-not-know-where-they-run',
      { path: '^src/modules/', pathNot: tests },
      { path: '^src/shared/', pathNot: `^src/shared/${any(kernelForModules)}/` },
      'This part of the kernel decides where modules run and how they are reached; a module that knows it cannot be moved. Take what you need from the container. If every module should have it, add the folder to "kernelForModules" in .dependency-cruiser.js.',
    ),
    forbid(
      'compositions-know-contracts-only',
      { path: compositions },
      { path: '^src/', pathNot: [contractsAndKernel] },
      'A composition joins what modules answer, wherever they run, so it knows their contracts and the kernel and nothing else. Import the contract.ts and ask for a client.',
    ),
    forbid(
      'nothing-stands-on-the-top',
      { path: '^src/', pathNot: [app, compositions, tests] },
      { path: [app, compositions] },
      'src/app.ts and src/compositions/ stand on everything else, and only src/app.ts may import a composition. Move what you need down, into the module or the kernel folder it belongs to.',
    ),
  ];
}

const contractsAndKernel = '^src/(modules/[^/]+/contract\\.ts$|shared/)';

function order(folder, below) {
  return forbid(
    `kernel-order-${folder}`,
    { path: `^src/shared/${folder}/`, pathNot: tests },
    { path: '^src/shared/', pathNot: `^src/shared/${any([folder, ...below])}/` },
    `The kernel is built in an order, and "${folder}" does not stand on this folder. Move what you need into a folder below both, or have it handed in from above. If the order should change, change "kernel" in .dependency-cruiser.js; it must stay free of cycles.`,
  );
}
