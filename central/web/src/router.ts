import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'

import { useSession } from './stores/session'

const shell = () => import('./components/AppShell.vue')
const work = () => import('./pages/WorkPage.vue')

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', name: 'login', component: () => import('./pages/LoginPage.vue'), meta: { open: true } },
    { path: '/wall', name: 'wall', component: () => import('./pages/WallPage.vue') },
    { path: '/print/filing', name: 'filing-sheet', component: () => import('./pages/FilingSheetPage.vue'), meta: { review: true } },
    { path: '/print/sign/:uid', name: 'notice-sign', component: () => import('./pages/NoticeSignPage.vue'), props: true, meta: { review: true } },
    {
      path: '/',
      component: shell,
      children: [
        { path: '', name: 'alerts', component: work, props: { list: 'alerts' } },
        { path: 'alerts/:id', name: 'alert', component: work, props: (to) => ({ list: 'alerts', id: to.params.id }) },
        { path: 'incidents', name: 'incidents', component: work, props: { list: 'incidents' } },
        { path: 'incidents/:id', name: 'incident', component: work, props: (to) => ({ list: 'incidents', id: to.params.id }) },
        { path: 'activities', name: 'activities', component: () => import('./pages/ActivitiesPage.vue') },
        { path: 'review', name: 'review', component: () => import('./pages/ReviewPage.vue'), meta: { review: true } },
        { path: 'coverage', name: 'coverage', component: () => import('./pages/CoveragePage.vue'), meta: { review: true } },
        { path: 'holds', name: 'holds', component: () => import('./pages/HoldsPage.vue'), meta: { review: true } },
        { path: 'boxes', name: 'boxes', component: () => import('./pages/FleetPage.vue'), meta: { review: true } },
        { path: 'boxes/:box/commands', name: 'commands', component: () => import('./pages/CommandsPage.vue'), props: (to) => ({ boxId: to.params.box }), meta: { review: true } },
        { path: 'deliveries', name: 'deliveries', component: () => import('./pages/DeliveriesPage.vue'), meta: { review: true } },
        { path: 'points', name: 'points', component: () => import('./pages/PointsPage.vue'), meta: { review: true } },
        { path: 'points/:uid', name: 'point', component: () => import('./pages/PointPage.vue'), props: true, meta: { review: true } },
        { path: 'filing', name: 'filing', component: () => import('./pages/FilingPage.vue'), meta: { review: true } },
        { path: 'quarantine', name: 'quarantine', component: () => import('./pages/QuarantinePage.vue'), meta: { admin: true } },
        { path: 'examples', name: 'examples', component: () => import('./pages/ExamplesPage.vue'), meta: { admin: true } },
        { path: 'about', name: 'about', component: () => import('./pages/AboutPage.vue'), meta: { open: true } },
        { path: ':rest(.*)*', name: 'missing', component: () => import('./pages/MissingPage.vue'), meta: { open: true } },
      ],
    },
  ],
})

/** Where a role begins its work. */
export const homeOf = (role: string): string => (role === 'wall' ? '/wall' : '/')

router.beforeEach(async (to: RouteLocationNormalized) => {
  const session = useSession()
  if (session.current === null) {
    try {
      await session.refresh()
    } catch {
      // The centre is not there: open pages still open; the others ask to log in, which will say so.
    }
  }
  if (to.meta.open === true) return true
  if (session.current === null) return { name: 'login', query: { next: to.fullPath } }
  if (to.meta.review === true && !session.mayReview) return homeOf(session.current.user.role)
  if (to.meta.admin === true && session.role !== 'admin') return homeOf(session.current.user.role)
  return true
})
